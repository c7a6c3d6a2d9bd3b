// Options: which there are, their types, and that each is set once.

import { accepted, differs, optionsOf, p2, p3, refused, type Verdict } from './verdict.ts'

export const OPTIONS: readonly Verdict[] = [
  refused(p3('message M { int32 a = 1 [(foo) = 1]; }')),
  refused(p3('option (foo) = 1;')),
  refused(p3('message M { option (foo.bar) = 1; }')),
  refused(p3('enum E { option (foo) = 1; A = 0; }')),
  refused(p3('enum E { A = 0 [(foo) = 1]; }')),
  refused(p3('message M { oneof o { option (foo) = 1; int32 a = 1; } }')),
  refused(p3('service S { option (foo) = 1; }')),
  refused(p3('message M {} service S { rpc R(M) returns (M) { option (foo) = 1; } }')),
  refused(p3('message M { int32 a = 1 [foo = 1]; }')),
  refused(p3('option foo = 1;')),
  refused(p3('message M { option foo = 1; }')),
  refused(p3('enum E { option foo = 1; A = 0; }')),
  refused(p3('enum E { A = 0 [foo = 1]; }')),
  refused(p3('message M { oneof o { option foo = 1; int32 a = 1; } }')),
  refused(p3('service S { option foo = 1; }')),
  refused(p3('message M {} service S { rpc R(M) returns (M) { option foo = 1; } }')),
  refused(p3('option java_package = "a"; option java_package = "b";')),
  refused(p3('message M { int32 a = 1 [deprecated = true, deprecated = true]; }')),
  refused(p3('message M { option deprecated = true; option deprecated = false; }')),
  refused(p3('message M { int32 a = 1 [deprecated = 1]; }')),
  refused(p3('message M { int32 a = 1 [deprecated = "true"]; }')),
  refused(p3('option java_package = 5;')),
  refused(p3('option optimize_for = FAST;')),
  accepted(p3('option optimize_for = SPEED;')),
  refused(p3('message M { int32 a = 1 [lazy = true]; }')),
  accepted(p3('message M { M a = 1 [lazy = true]; }')),
  accepted(p3('message M { repeated M a = 1 [lazy = true]; }')),
  accepted(p3('message M { int32 a = 1 [weak = true]; }')),
  refused(p3('message M { string a = 1 [jstype = JS_STRING]; }')),
  accepted(p3('message M { int64 a = 1 [jstype = JS_STRING]; }')),
  refused(p3('message M { int64 a = 1 [jstype = FOO]; }')),
  accepted(p3('message M { string a = 1 [ctype = CORD]; }')),
  accepted(p3('message M { int32 a = 1 [ctype = CORD]; }')),
  refused(p3(optionsOf('FieldOptions', '{ string a = 60003; } message M { int32 b = 1 [(a) = 5]; }'))),
  accepted(p3(optionsOf('FieldOptions', '{ string a = 60004; } message M { int32 b = 1 [(a) = "x"]; }'))),
  refused(p3(optionsOf('FieldOptions', '{ string a = 60005; } message M { int32 b = 1 [(a) = "x", (a) = "y"]; }'))),
  accepted(
    p3(optionsOf('FieldOptions', '{ repeated string a = 60006; } message M { int32 b = 1 [(a) = "x", (a) = "y"]; }')),
  ),
  refused(p3(optionsOf('FieldOptions', '{ string a = 60007; } message M { option (a) = "x"; }'))),
  accepted(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 60008; } message O { int32 x = 1; } message M { int32 b = 1 [(a) = {x: 1}]; int32 c = 2 [(a).x = 1]; }',
      ),
    ),
  ),
  refused(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 60009; } message O { int32 x = 1; } message M { int32 b = 1 [(a) = {y: 1}]; }',
      ),
    ),
  ),
  refused(
    p3(optionsOf('FieldOptions', '{ O a = 60010; } message O { int32 x = 1; } message M { int32 b = 1 [(a).y = 1]; }')),
  ),
  refused(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 60011; } message O { int32 x = 1; } message M { int32 b = 1 [(a).x = 1, (a).x = 2]; }',
      ),
    ),
  ),
  accepted(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 60012; } message O { int32 x = 1; } message M { int32 b = 1 [(a) = {}, (a).x = 2]; }',
      ),
    ),
  ),
  refused(p3('message M { option message_set_wire_format = true; }')),
  differs(
    { olderProtoc: 'accepted', why: 'newer versions of protoc do' },
    refused(p3('message M { option map_entry = true; int32 key = 1; int32 value = 2; }')),
  ),
  differs(
    { olderProtoc: 'accepted', why: 'newer versions of protoc do' },
    refused(p3('message M { option map_entry = false; }')),
  ),
  refused(p3('message M { int32 a = 1 [uninterpreted_option = {}]; }')),
  accepted(p3('message M {} service S { rpc R(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; } }')),
  refused(p3('message M {} service S { rpc R(M) returns (M) { option idempotency_level = NOPE; } }')),
  differs(
    { olderProtoc: 'refused', why: 'newer versions of protoc do' },
    accepted(
      p3('message M { int32 a = 1 [debug_redact = true, retention = RETENTION_SOURCE, targets = TARGET_TYPE_FILE]; }'),
    ),
  ),
  accepted(p3('message M { option no_standard_descriptor_accessor = true; }')),
  accepted(p3('message M { int32 a = 1 [json_name = "b"]; }')),
  refused(p3('message M { int32 a = 1 [json_name = 5]; }')),
  differs(
    { olderProtoc: 'accepted', why: 'newer versions of protoc do' },
    refused(p3('message M { int32 a = 1 [json_name = "b"]; int32 b = 2; }')),
  ),
  differs(
    { protoc: 'refused', olderProtoc: 'accepted', why: 'protoc alone' },
    accepted(p3('message M { int32 a = 1 [json_name = "[x]"]; }')),
  ),
  refused(p3('message M { int32 a = 1 [json_name = "b", json_name = "c"]; }')),
  refused(p2('message M { optional int32 a = 1 [default = 1, default = 2]; }')),
  refused(p3('message M { int32 a = 1 []; }')),
  refused(p3('message M { option (a.b).c = 5; }')),
  refused(p3('message M { int32 a = 1 [features.field_presence = IMPLICIT]; }')),
  refused(p3('option (gorums.rpc) = true;')),
  refused(p3('import "gorums.proto"; message M { option (gorums.rpc) = true; }')),
  refused(
    p3(
      'import "gorums.proto"; message M {} service S { rpc R(M) returns (M) { option (gorums.rpc) = true; option (gorums.rpc) = true; } }',
    ),
  ),
  refused(p3('import "gorums.proto"; message M {} service S { rpc R(M) returns (M) { option (gorums.rpc) = 1; } }')),
  refused(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 51001; } message O { int32 x = 1; repeated int32 y = 2; O o = 3; bool b = 4; float f = 5; } message M { int32 b = 1 [(a) = {x: 1, y: [1, 2], y: 3, o { x: 5 } b: 1 f: 1.5f}]; }',
      ),
    ),
  ),
  refused(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 51002; } message O { int32 x = 1; } message M { int32 b = 1 [(a) = {x: "1"}]; }',
      ),
    ),
  ),
  refused(
    p3(optionsOf('FieldOptions', '{ O a = 51003; } message O { int32 x = 1; } message M { int32 b = 1 [(a) = 5]; }')),
  ),
  refused(
    p3(
      optionsOf(
        'FieldOptions',
        '{ int32 a = 51004; } message M { int32 b = 1 [(a) = 2147483648]; int32 c = 2 [(a) = -5]; }',
      ),
    ),
  ),
  accepted(p3(optionsOf('FieldOptions', '{ int32 a = 51005; } message M { int32 b = 1 [(a) = -5]; }'))),
  accepted(p3(optionsOf('FieldOptions', '{ E a = 51006; } enum E { A0 = 0; } message M { int32 b = 1 [(a) = A0]; }'))),
  refused(p3(optionsOf('FieldOptions', '{ E a = 51007; } enum E { A0 = 0; } message M { int32 b = 1 [(a) = B0]; }'))),
  refused(p3(optionsOf('FieldOptions', '{ map<string, int32> a = 51008; }'))),
  accepted(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 51009; } message O { map<string, int32> m = 1; } message M { int32 b = 1 [(a) = { m: { key: "x" value: 1 } m { key: "y" value: 1 } }]; }',
      ),
    ),
  ),
  accepted(
    p2(
      optionsOf(
        'FieldOptions',
        '{ optional O a = 51010; } message O { extensions 5; } extend O { optional int32 e = 5; } message M { optional int32 b = 1 [(a).(e) = 5]; optional int32 c = 2 [(a) = { [own74.e]: 5 }]; } package own74;',
      ),
    ),
  ),
  refused(p3('option java_package = {};')),
  refused(p3('message M { option deprecated = true; option deprecated = true; }')),
  differs(
    { olderProtoc: 'refused', why: 'newer versions of protoc do' },
    accepted(
      p3(
        optionsOf(
          'FieldOptions',
          '{ bytes a = 51011; double d = 51012; } message M { int32 b = 1 [(a) = "\\xff", (d) = inf]; int32 c = 2 [(d) = 1]; }',
        ),
      ),
    ),
  ),
  accepted(
    p3(
      optionsOf(
        'ServiceOptions',
        '{ string s = 51013; } message X { extend google.protobuf.ServiceOptions { string t = 51014; } } service S { option (s) = "a"; option (X.t) = "b"; }',
      ),
    ),
  ),
  refused(
    p3(
      'message M { option (ext) = 5; extend google.protobuf.MessageOptions { int32 ext = 51015; } } import "google/protobuf/descriptor.proto";',
    ),
  ),
  accepted(
    p3(
      'import "google/protobuf/descriptor.proto"; message M { option (M.ext) = 5; extend google.protobuf.MessageOptions { int32 ext = 51016; } }',
    ),
  ),
  accepted(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 51017; } message O { google.protobuf.Any any = 1; } import "google/protobuf/any.proto"; message M { int32 b = 1 [(a) = { any { [type.googleapis.com/own81.M] { b: 1 } } }]; } package own81;',
      ),
    ),
  ),
  refused(
    p3(
      optionsOf(
        'FieldOptions',
        '{ O a = 51018; } message O { O2 o = 1; message O2 { int32 x = 1; } } message M { int32 b = 1 [(a).o.x = 1, (a).o = { x: 1 }]; }',
      ),
    ),
  ),
  accepted(p3(optionsOf('EnumValueOptions', '{ string ev = 51019; } enum E { A0 = 0 [(ev) = "x"]; }'))),
  refused(
    p3(optionsOf('FileOptions', '{ string fo = 51020; } option (fo) = "x"; option (own84.fo) = "y"; package own84;')),
  ),
]
