// What names mean and where they clash: scopes, closed enums, visibility, style, maps.

import { accepted, differs, e23, e24, p2, p3, refused, type Verdict } from './verdict.ts'

export const NAMES: readonly Verdict[] = [
  refused(p3('package s1.x.a.b; message M { a.b.C c = 1; } ')),
  refused(p3('package s2.x.a.y; import "s2b.proto"; message M { a.b.C c = 1; }'), {
    's2b.proto': p3('package a.b; message C {}'),
  }),
  refused(p3('package s3.foo; import "s3b.proto"; message M { s3.Bar b = 1; message s3 {} }'), {
    's3b.proto': p3('package s3; message Bar {}'),
  }),
  refused(p3('package s4; message A { message B {} } message M { message A {} A.B b = 1; }')),
  accepted(p3('package s5; message A { message B {} } message M { int32 A = 1; A.B b = 2; }')),
  accepted(p3('package s6; message A { message B {} } message M { enum E { A = 0; } A.B b = 2; }')),
  accepted(p3('package s7; message A {} message M { int32 A = 1; A b = 2; }')),
  accepted(p3('package s8; message A {} message M { enum E { A = 0; } A b = 2; }')),
  accepted(p3('package s9; message A {} message M { oneof A { int32 x = 1; } A b = 2; }')),
  refused(p3('package s10.x; import "s10b.proto"; import "s10c.proto"; message M { q.C c = 1; }'), {
    's10b.proto': p3('package q; message C {}'),
    's10c.proto': p3('package s10.q; message D {}'),
  }),
  accepted(p3('package s11.x; import "s11b.proto"; message M { w.C c = 1; }'), {
    's11b.proto': p3('package w; import "s11c.proto"; message C { s11.w.D d = 1; }'),
    's11c.proto': p3('package s11.w; message D {}'),
  }),
  accepted(p3('package s12; message A { message B {} } message M { oneof A { int32 x = 1; } A.B b = 2; }')),
  accepted(p3('package s13; message A { message B {} } service A2 { rpc A(A.B) returns (A.B); }')),
  refused(p3('package s14; message A { } service S { rpc A(A) returns (A); }')),
  refused(p3('package s15; message A { message B {} } message M { message A { message C {} } A.B b = 2; }')),
  differs(
    { buf: 'accepted', why: 'buf looks through an enum as through a field' },
    refused(p3('package s16; message A { enum B {C = 0;} } message M { enum A {D=0;} A.B b = 2; }')),
  ),
  refused(p3('package s17; message A { } message M { message M {} M m = 1; M.M n = 2; }')),
  accepted(p3('package s18; message M { s18.M m = 1; .s18.M n = 2; }')),
  accepted(p3('package s19.a; message M { a.M m = 1; s19.a.M n = 2; }')),
  accepted(p3('package s20; message a { } message M { string a = 1; map<string, a> m = 2; }')),
  refused(p3('package s21; service A {} message M { A a = 1; }')),
  refused(p3('package s22; message M { s22 a = 1; }')),
  refused(
    p2('package s23; message A { extensions 1 to 5; } message M { message A {} extend A { optional int32 x = 1; } }'),
  ),
  accepted(p2('package s24; message A { extensions 1 to 5; } message M { extend A { optional int32 x = 1; } }')),
  refused(
    p3(
      'package s25; import "gorums.proto"; message gorums {} message M {} service S { rpc A(M) returns (M) { option (gorums.rpc) = true; } }',
    ),
  ),
  refused(
    p3(
      'package s26.gorums; import "gorums.proto"; message M {} service S { rpc A(M) returns (M) { option (gorums.rpc) = true; } }',
    ),
  ),
  accepted(
    p3(
      'package s27.gorums; import "gorums.proto"; message M {} service S { rpc A(M) returns (M) { option (.gorums.rpc) = true; } }',
    ),
  ),
  refused(p3('package s28.google; import "google/protobuf/empty.proto"; message M { google.protobuf.Empty e = 1; }')),
  accepted(p3('package s29.google; import "google/protobuf/empty.proto"; message M { .google.protobuf.Empty e = 1; }')),
  refused(p3('import "cl1.proto"; message M { cl1.E e = 1; }'), { 'cl1.proto': p2('package cl1; enum E { A = 0; }') }),
  refused(p3('import "cl2.proto"; message M { optional cl2.E e = 1; }'), {
    'cl2.proto': p2('package cl2; enum E { A = 0; }'),
  }),
  refused(p3('import "cl3.proto"; message M { repeated cl3.E e = 1; }'), {
    'cl3.proto': p2('package cl3; enum E { A = 0; }'),
  }),
  refused(p3('import "cl4.proto"; message M { map<int32, cl4.E> e = 1; }'), {
    'cl4.proto': p2('package cl4; enum E { A = 0; }'),
  }),
  refused(p3('import "cl5.proto"; message M { oneof o { cl5.E e = 1; } }'), {
    'cl5.proto': p2('package cl5; enum E { A = 0; }'),
  }),
  refused(
    e23(
      'enum E { option features.enum_type = CLOSED; A = 1; } message M { E e = 1 [features.field_presence = IMPLICIT]; }',
    ),
  ),
  refused(
    e23(
      'enum E { option features.enum_type = CLOSED; A = 0; } message M { E e = 1 [features.field_presence = IMPLICIT]; }',
    ),
  ),
  accepted(e23('enum E { option features.enum_type = CLOSED; A = 0; } message M { E e = 1; repeated E f = 2; }')),
  differs(
    { protoc: 'refused', why: 'no position: protoc means the entries of the map' },
    accepted(
      e23(
        'option features.field_presence = IMPLICIT; enum E { option features.enum_type = CLOSED; A = 0; } message M { repeated E f = 2; map<int32, E> g = 3; }',
      ),
    ),
  ),
  differs(
    { protoc: 'refused', why: 'protoc alone wants 0 first in the enums of maps' },
    accepted(p2('enum E { A = 5; } message M { map<int32, E> g = 3; }')),
  ),
  differs(
    { protoc: 'refused', why: 'protoc alone wants 0 first in the enums of maps' },
    accepted(e23('enum E { option features.enum_type = CLOSED; A = 3; } message M { map<int32, E> g = 3; }')),
  ),
  refused(e23('option features.field_presence = IMPLICIT; import "cl12.proto"; message M { cl12.E e = 1; }'), {
    'cl12.proto': p2('package cl12; enum E { A = 0; }'),
  }),
  accepted(p2('import "cl13.proto"; message M { optional cl13.E e = 1; }'), {
    'cl13.proto': p3('package cl13; enum E { A = 0; }'),
  }),
  refused(e23('enum E { option features.enum_type = OPEN; A = 1; }')),
  refused(p3('message M { map<int32,int32> foo_bar = 1; message FooBarEntry {} }')),
  refused(p3('message M { map<int32,int32> foo_bar = 1; enum FooBarEntry { A = 0; } }')),
  refused(p3('message M { map<int32,int32> foo_bar = 1; int32 FooBarEntry = 2; }')),
  refused(p3('message M { map<int32,int32> foo_bar = 1; map<int32,int32> fooBar = 2; }')),
  refused(p3('message M { map<int32,int32> foo = 1; M.FooEntry x = 2; }')),
  refused(p3('message M { map<int32,int32> foo = 1; oneof FooEntry { int32 x = 2; } }')),
  refused(p3('message M { map<double,int32> foo = 1; }')),
  refused(p3('message M { map<bytes,int32> foo = 1; }')),
  refused(p3('message M { map<M,int32> foo = 1; }')),
  refused(p3('enum E {A=0;} message M { map<E,int32> foo = 1; }')),
  accepted(p3('message M { map<bool,M> foo = 1; map<sfixed64, bytes> b = 2; map<string, double> c = 3; }')),
  refused(p3('message M { repeated map<bool,M> foo = 1; }')),
  refused(p3('message M { optional map<bool,M> foo = 1; }')),
  refused(p3('message M { oneof o { map<bool,M> foo = 1; } }')),
  refused(p3('message M { map<bool, map<bool, M>> foo = 1; }')),
  accepted(p3('message map {} message M { map foo = 1; }')),
  refused(p3('message M { map<string, int32> foo = 1 [packed = true]; }')),
  refused(p3('message M { map<string, int32> foo = 1 [default = 1]; }')),
  accepted(p3('message M { map<string, int32> foo = 1 [lazy = true]; }')),
  refused(p2('message M { map<string, int32> foo = 1; repeated map<string, int32> b = 2; }')),
  refused(p3('message M { map<Nope, int32> foo = 1; }')),
  refused(p3('message M { map<float, int32> foo = 1; }')),
  accepted(p3('message M { map<int32, int32> foo = 1; message FOOEntry {} }')),
  refused(p3('message M { map<int32, int32> foo__bar = 1; message FooBarEntry {} }')),
  refused(p3('message M { map<int32, int32> foo_1 = 1; message Foo1Entry {} }')),
  refused(p3('message M { map<int32, int32> _foo = 1; message FooEntry {} }')),
  accepted(p3('message M { map<int32, int32> foo = 1 [json_name = "x"]; }')),
  accepted(p3('message M { map<int32, int32> foo = 1 [deprecated = true]; }')),
  refused(e23('message M { map<int32, int32> foo = 1 [features.field_presence = IMPLICIT]; }')),
  refused(e23('message M { map<int32, int32> foo = 1 [features.repeated_field_encoding = PACKED]; }')),
  refused(e23('message M { map<int32, M> foo = 1 [features.message_encoding = DELIMITED]; }')),
  accepted(e23('message M { map<string, string> foo = 1 [features.utf8_validation = NONE]; }')),
  refused(e23('message M { map<int32, int32> foo = 1 [features.utf8_validation = NONE]; }')),
  accepted(e24('export message M { } local message N { }')),
  accepted(e24('local message N { local message O {} export enum E {E_U = 0;} }')),
  refused(e24('import "vi3b.proto"; message M { vi3b.N n = 1; }'), {
    'vi3b.proto': e24('package vi3b; local message N {}'),
  }),
  accepted(e24('import "vi4b.proto"; message M { vi4b.N n = 1; }'), {
    'vi4b.proto': e24('package vi4b; export message N {}'),
  }),
  accepted(e24('import "vi5b.proto"; message M { vi5b.N n = 1; }'), {
    'vi5b.proto': e24('package vi5b; message N {}'),
  }),
  refused(e24('import "vi6b.proto"; message M { vi6b.N.O n = 1; }'), {
    'vi6b.proto': e24('package vi6b; message N { message O {} }'),
  }),
  accepted(e24('import "vi7b.proto"; message M { vi7b.N.O n = 1; }'), {
    'vi7b.proto': e24('package vi7b; message N { export message O {} }'),
  }),
  accepted(e24('import "vi8b.proto"; message M { vi8b.N.O n = 1; }'), {
    'vi8b.proto': e24(
      'package vi8b; option features.default_symbol_visibility = EXPORT_ALL; message N { message O {} }',
    ),
  }),
  refused(e24('import "vi9b.proto"; message M { vi9b.N n = 1; }'), {
    'vi9b.proto': e24(
      'package vi9b; option features.default_symbol_visibility = LOCAL_ALL; message N { message O {} }',
    ),
  }),
  refused(p3('import "vi10b.proto"; message M { vi10b.N n = 1; }'), {
    'vi10b.proto': e24('package vi10b; local message N { }'),
  }),
  refused(e23('export message M { }')),
  refused(p3('export message M { }')),
  refused(e24('export service S { }')),
  differs({ buf: 'accepted', why: 'buf takes the last' }, refused(e24('export local message M { }'))),
  accepted(e24('message M { N.O n = 1; } message N { message O {} }')),
  refused(e24('option features.default_symbol_visibility = STRICT; message N { export message O {} }')),
  accepted(
    e24(
      'option features.default_symbol_visibility = STRICT; message N { export enum O {O_U = 0;} reserved 1 to max; }',
    ),
  ),
  refused(
    e24('import "google/protobuf/descriptor.proto"; export extend google.protobuf.MessageOptions { int32 a = 60013; }'),
  ),
  refused(e24('message M { export int32 a = 1; }')),
  refused(e24('message M { local a = 1; } message local {}')),
  refused(e24('import "vi21b.proto"; service S { rpc R(vi21b.N) returns (vi21b.N); }'), {
    'vi21b.proto': e24('package vi21b; local message N { }'),
  }),
  refused(e24('import "vi22b.proto"; message M { vi22b.N n = 1; }'), {
    'vi22b.proto': e24('package vi22b; local enum N { N_U = 0; }'),
  }),
  differs(
    { buf: 'accepted', why: 'protoc takes it for the keyword' },
    refused(p3('message message { message message = 1; }')),
  ),
  accepted(p3('message M { string string = 1; int32 int32 = 2; }')),
  accepted(p3('message int32 {} message M { int32 a = 1; }')),
  refused(p3('message int32 { string x = 1; } message M { .int32 a = 1; }')),
  accepted(
    p3(
      'message M { int32 reserved = 1; int32 option = 2; int32 optional = 3; int32 repeated = 4; int32 oneof = 5; int32 map = 6; int32 extensions = 7; int32 group = 8; int32 enum = 9; }',
    ),
  ),
  refused(p3('message 1M {}')),
  refused(p3('message M-N {}')),
  accepted(p3('message _M { int32 __ = 1; }')),
  refused(p3('message Ü {}')),
  accepted(p3('message M { message M { M m = 1; } }')),
  accepted(p3('message M {} message m {}')),
  refused(p3('message M {} enum M { A = 0; }')),
  accepted('syntax = "proto3"; package na13; message M {} service na13 {}'),
  differs(
    { protoc: 'refused', why: 'buf lets packages and messages have one name' },
    accepted(p3('package na14; import "na14b.proto"; message a {}'), {
      'na14b.proto': p3('package na14.a; message M {}'),
    }),
  ),
  refused(p3('package na15; import "na15b.proto"; message M {}'), { 'na15b.proto': p3('package na15; message M {}') }),
  accepted('syntax = "proto3"; package message.na16; message M {}'),
  refused('syntax = "proto3"; package .na17;'),
  refused('syntax = "proto3"; package na18.; '),
  accepted(p3('message M { M . N a = 1; message N {} }')),
  refused(p3('message M { .M a = 1; }')),
  refused(p3('message M { M. a = 1; }')),
  accepted(p3(`message ${'x'.repeat(1000)} {}`)),
  refused(e24('message A_B { }')),
  accepted(e24('message AB1 { }')),
  accepted(e24('message A { int32 a1 = 1; int32 a1_b2 = 2; }')),
  refused(e24('message A { int32 a__b = 1; }')),
  refused(e24('message A { int32 a_ = 1; }')),
  refused(e24('enum Color { COLOR_UNKNOWN = 0; COLOR_red = 1; }')),
  refused(e24('enum Color { COLOR_UNKNOWN = 0; COLOR_1 = 1; }')),
  accepted(e24('enum Color { COLOR_UNKNOWN = 0; COLOR_R1 = 1; }')),
  refused(e24('enum color { COLOR_UNKNOWN = 0; }')),
  accepted(e24('enum Color { UNKNOWN = 0; }')),
  accepted(e24('message A { option features.enforce_naming_style = STYLE_LEGACY; int32 FooBar = 1; }')),
  accepted(e24('message A { int32 FooBar = 1 [features.enforce_naming_style = STYLE_LEGACY]; }')),
  refused(e24('message M {} service S { rpc Read_It(M) returns (M); }')),
  refused(
    e24('import "google/protobuf/descriptor.proto"; extend google.protobuf.MethodOptions { bool FooBar = 51333; }'),
  ),
  refused('edition = "2024"; package a1.style_15; message M {}'),
  accepted('edition = "2024"; package a1.style15; message M {}'),
  refused(e24('service S_T {}')),
  accepted(e24('message M { oneof a_b { int32 c = 1; } }')),
  refused(e24('message aB {}')),
  refused(e24('enum Color_Two { COLOR_TWO_UNKNOWN = 0; }')),
  refused(e24('message M { int32 aB = 1; }')),
  refused(e24('enum E { E_UNKNOWN = 0; E_A__B = 1; }')),
  accepted(e24('message M { map<int32, int32> by_id = 1; }')),
]
