// What compilers refuse, in our words: each with its place, and with what to write instead. That they do refuse it is for
// compilers.test.ts to show.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problems } from './told.ts'

/** `b.proto` beside each text. */
const OTHER = 'syntax = "proto2";\npackage b;\nenum E {\n  ONE = 1;\n}\nmessage X {\n  extensions 5;\n}\n'

/** What is wrong, the text, the problems. */
const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'a closed enum in a field of proto3',
    'syntax = "proto3";\nimport "b.proto";\nmessage M {\n  repeated b.E e = 1;\n}\n',
    [
      'a.proto:4:12: field "e" of proto3 can not be of the closed enum "b.E": declare the enum in proto3, or as open in an edition',
    ],
  ],
  [
    'a closed enum in a field of implicit presence',
    'edition = "2023";\nmessage M {\n  E e = 1 [features.field_presence = IMPLICIT];\n}\nenum E {\n  option features.enum_type = CLOSED;\n  ONE = 1;\n}\n',
    [
      'a.proto:3:3: field "e" has implicit presence and can not be of the closed enum "E": make its presence explicit, or the enum open',
    ],
  ],
  [
    'an extension without room',
    'syntax = "proto2";\nmessage M {\n  extensions 5 to 10, 20;\n}\nmessage N {}\nextend M {\n  optional int32 a = 11;\n}\nextend N {\n  optional int32 b = 1;\n}\n',
    [
      'a.proto:7:18: the number of extension "a" is 11: message "M" takes 5 to 10, 20',
      'a.proto:10:18: message "N" can not be extended: write "extensions 1;" in it',
    ],
  ],
  [
    'extensions of one number',
    'syntax = "proto2";\nmessage M {\n  extensions 5;\n}\nextend M {\n  optional int32 a = 5;\n  optional int32 b = 5;\n}\n',
    ['a.proto:7:18: extensions "a" and "b" of message "M" both have the number 5: give one of them another'],
  ],
  [
    'extensions that can not be',
    'syntax = "proto2";\nmessage M {\n  extensions 5 to max;\n}\nextend M {\n  required int32 a = 5;\n  optional int32 b = 6 [json_name = "c"];\n  map<int32, int32> d = 7;\n  optional int32 e = 19000;\n  optional int32 f = 8 [default = "x"];\n  optional Nope g = 9;\n}\nextend Gone {\n  optional int32 h = 5;\n}\nextend E {\n  optional int32 i = 5;\n}\nenum E {\n  ONE = 1;\n}\n',
    [
      'a.proto:6:18: extension "a" can not be required: write "optional"',
      'a.proto:7:25: extension "b" has its full name in JSON: remove "json_name"',
      'a.proto:8:21: extension "d" can not be a map: use a repeated message',
      'a.proto:9:18: the number of extension "e" is 19000: 19000 to 19999 belong to protobuf itself',
      'a.proto:10:25: the default of field "f": "x" is no int32: write it without quotes',
      'a.proto:11:12: there is no type "Nope": declare it, or import the file that does',
      'a.proto:13:8: there is no message "Gone": declare it, or import the file that does',
      'a.proto:16:8: "E" is the enum "E" here, not a message: write another name',
    ],
  ],
  [
    'an extension of nothing',
    'syntax = "proto2";\nmessage M {\n  extensions 5;\n}\nextend M {}\n',
    ['a.proto:5:8: "extend M" has no fields: add one, or remove it'],
  ],
  [
    'extensions in proto3',
    'syntax = "proto3";\nimport "b.proto";\nmessage M {\n  extensions 5;\n}\nextend b.X {\n  int32 a = 5;\n}\n',
    [
      'a.proto:4:3: proto3 has no extension ranges: remove "extensions"',
      'a.proto:6:8: proto3 extends options only, not "b.X": write this in a file of an edition',
    ],
  ],
  [
    'message sets',
    'syntax = "proto2";\nmessage M {\n  option message_set_wire_format = true;\n  extensions 4 to max;\n  optional int32 a = 1;\n}\nextend M {\n  optional int32 b = 5;\n  optional M c = 2147483646;\n}\n',
    [
      'a.proto:5:18: message set "M" can not have field "a": make it an extension',
      'a.proto:8:18: extension "b" of the message set "M" must be an optional message',
    ],
  ],
  [
    'ranges that can not be',
    'syntax = "proto2";\nmessage M {\n  reserved 5 to 7, 7;\n  reserved 0, 9 to 8;\n  reserved "a", "a";\n  extensions 6;\n  extensions 100 to 536870912;\n}\nenum E {\n  ONE = 1;\n  reserved 5 to 7, 6 to 9;\n  reserved -1 to 2147483648;\n}\n',
    [
      'a.proto:3:20: the reserved range 7 overlaps with the reserved range 5 to 7: keep one of them',
      'a.proto:4:12: the reserved range begins with 0: begin with 1 or more',
      'a.proto:4:15: the reserved range 9 to 8 has nothing in it: write 8 to 9',
      'a.proto:5:17: the name "a" is reserved twice: remove one',
      'a.proto:6:14: the extension range 6 overlaps with the reserved range 5 to 7: keep one of them',
      'a.proto:7:14: the extension range ends with 536870912: end with 536870911 or less, or with "max"',
      'a.proto:10:3: the number 1 is reserved in enum "E": choose another for "ONE"',
      'a.proto:11:20: the reserved range 6 to 9 overlaps with the reserved range 5 to 7: keep one of them',
      'a.proto:12:12: the reserved range -1 to 2147483648 does not fit into 32 bits: write "max" for the largest number',
      'a.proto:12:12: the reserved range -1 to 2147483648 overlaps with the reserved range 5 to 7: keep one of them',
    ],
  ],
  [
    'reserved names as they are not written',
    'syntax = "proto3";\nmessage M {\n  reserved a;\n  reserved 5, "b";\n}\n',
    [
      'a.proto:3:12: reserved names stand in quotes in proto3: write "a"',
      'a.proto:4:15: names and numbers are reserved apart: write "reserved" twice, once for each',
    ],
  ],
  [
    'reserved names as they are not written in editions',
    'edition = "2023";\nmessage M {\n  reserved "a";\n}\n',
    ['a.proto:3:12: reserved names stand without quotes in editions: write a'],
  ],
  [
    'options that nothing declares',
    'syntax = "proto3";\nimport "gorums.proto";\noption (foo) = 1;\noption bar = 2;\nmessage M {\n  option (gorums.rpc) = true;\n  int32 a = 1 [baz = 3, (foo.bar).baz = 4];\n}\nenum E {\n  ZERO = 0 [(foo) = 1];\n}\n',
    [
      'a.proto:3:8: there is no option "(foo)": declare it, or import the file that does',
      'a.proto:4:8: there is no option "bar" of a file: remove it, or write "(bar)" for one of your own',
      'a.proto:6:10: "(gorums.rpc)" extends google.protobuf.MethodOptions: it can not be set in google.protobuf.MessageOptions, which is what a message has',
      'a.proto:7:16: there is no option "baz" of a field: remove it, or write "(baz)" for one of your own',
      'a.proto:7:25: there is no option "(foo.bar)": declare it, or import the file that does',
      'a.proto:10:13: there is no option "(foo)": declare it, or import the file that does',
    ],
  ],
  [
    'options of another type',
    'syntax = "proto3";\noption java_package = 5;\noption optimize_for = FAST;\nmessage M {\n  option deprecated = 1;\n  int32 a = 1 [json_name = 5];\n  int32 b = 2 [jstype = JS_STRING];\n  int32 c = 3 [lazy = true];\n  int32 d = 4 [packed = true];\n}\n',
    [
      'a.proto:2:8: the option "java_package": "5" is no string: write it in quotes',
      'a.proto:3:8: the option "optimize_for": "FAST" is no value of "google.protobuf.FileOptions.OptimizeMode": write one of SPEED, CODE_SIZE, LITE_RUNTIME',
      'a.proto:5:10: the option "deprecated": "1" is no bool: write true or false',
      'a.proto:6:16: "json_name" is a name in quotes',
      'a.proto:7:16: field "b" is no 64-bit integer: remove "jstype"',
      'a.proto:8:16: field "c" is no message and can not be lazy: remove "lazy"',
      'a.proto:9:16: field "d" is not repeated and can not be packed: remove "packed"',
    ],
  ],
  [
    'options that are messages',
    'syntax = "proto3";\nimport "google/protobuf/descriptor.proto";\nextend google.protobuf.FieldOptions {\n  O o = 50000;\n}\nmessage O {\n  int32 x = 1;\n}\nmessage M {\n  int32 a = 1 [(o) = 5];\n  int32 b = 2 [(o).y = 5];\n  int32 c = 3 [(o) = { x: "5" }];\n  int32 d = 4 [(o).x.z = 5];\n  int32 e = 5 [(o).x = 2147483648];\n}\n',
    [
      'a.proto:10:16: the option "(o)" is a message: write its fields between "{" and "}"',
      'a.proto:11:16: message "O" has no field "y": there are "x"',
      'a.proto:12:24: the option "(o).x": "5" is no int32: write it without quotes',
      'a.proto:13:16: "x" in the option "(o).x.z" has nothing in it: write its value',
      'a.proto:14:16: the option "(o).x": 2147483648 is out of the range of int32: -2147483648 to 2147483647',
    ],
  ],
  [
    'options that are set twice',
    'syntax = "proto2";\noption java_package = "a";\noption java_package = "b";\nmessage M {\n  optional int32 a = 1 [default = 1, default = 2];\n  optional int32 b = 2 [deprecated = true, deprecated = true];\n}\n',
    [
      'a.proto:3:8: the option "java_package" is set twice: remove one',
      'a.proto:5:38: the option "default" is set twice: remove one',
      'a.proto:6:44: the option "deprecated" is set twice: remove one',
    ],
  ],
  [
    'options that an edition has no more',
    'edition = "2024";\noption java_multiple_files = true;\nmessage M {\n  string a = 1 [ctype = CORD];\n  repeated int32 b = 2 [packed = true];\n}\n',
    [
      'a.proto:2:8: edition 2024 has no option "java_multiple_files": write "features.(pb.java).nest_in_file_class"',
      'a.proto:4:17: edition 2024 has no option "ctype": write "features.(pb.cpp).string_type"',
      'a.proto:5:25: "packed" is for proto2 and proto3: write "features.repeated_field_encoding = PACKED"',
    ],
  ],
  [
    'features where they mean nothing',
    'edition = "2023";\noption features.field_presence = LEGACY_REQUIRED;\nmessage M {\n  option features.enum_type = OPEN;\n  M a = 1 [features.field_presence = IMPLICIT];\n  oneof o {\n    int32 b = 2 [features.field_presence = EXPLICIT];\n  }\n  repeated int32 c = 3 [features.field_presence = IMPLICIT];\n  int32 d = 4 [features.repeated_field_encoding = PACKED];\n  repeated string e = 5 [features.repeated_field_encoding = PACKED];\n  int32 f = 6 [features.message_encoding = DELIMITED];\n  int32 g = 7 [features.utf8_validation = NONE];\n  int32 h = 8 [features.nope = X];\n  extensions 10;\n}\nextend M {\n  int32 i = 10 [features.field_presence = IMPLICIT];\n}\n',
    [
      'a.proto:2:8: a file can not make all fields required: write it at the fields',
      'a.proto:4:10: "features.enum_type" is an option of a file or an enum, not of a message: move it there',
      'a.proto:5:12: field "a" is a message, which is always explicit: remove "features.field_presence"',
      'a.proto:7:18: field "b" is in oneof "o", where it is always explicit: remove "features.field_presence"',
      'a.proto:9:25: field "c" is repeated and has no presence: remove "features.field_presence"',
      'a.proto:10:16: field "d" is not repeated: remove "features.repeated_field_encoding"',
      'a.proto:11:26: field "e" can not be packed: only numbers, bools and enums can: remove "features.repeated_field_encoding"',
      'a.proto:12:16: field "f" is no message: remove "features.message_encoding"',
      'a.proto:13:16: field "g" is no string: remove "features.utf8_validation"',
      'a.proto:14:16: message "google.protobuf.FeatureSet" has no field "nope": there are "field_presence", "enum_type", "repeated_field_encoding", "utf8_validation", "message_encoding", "json_format", "enforce_naming_style", "default_symbol_visibility", "enforce_proto_limits"',
      'a.proto:18:17: field "i" is an extension, which is always explicit: remove "features.field_presence"',
    ],
  ],
  [
    'features of a later edition',
    'edition = "2023";\noption features.default_symbol_visibility = EXPORT_ALL;\n',
    ['a.proto:2:8: "features.default_symbol_visibility" is for edition 2024 and later: this file is 2023'],
  ],
  [
    'enums with aliases that are none, and names that differ too little',
    'syntax = "proto3";\nenum E {\n  option allow_alias = true;\n  A = 0;\n  B = 1;\n}\nenum Color {\n  COLOR_RED = 0;\n  RED = 1;\n  Color_Red = 2;\n}\n',
    [
      'a.proto:3:10: no two values of enum "E" have one number: remove "allow_alias"',
      'a.proto:9:3: values "COLOR_RED" and "RED" differ only in the name of enum "Color" before them, in case or in "_": rename one',
      'a.proto:10:3: values "COLOR_RED" and "Color_Red" differ only in the name of enum "Color" before them, in case or in "_": rename one',
    ],
  ],
  [
    'names in JSON that clash',
    'syntax = "proto3";\nmessage M {\n  int32 a = 1 [json_name = "b"];\n  int32 b = 2;\n  int32 c = 3 [json_name = "d"];\n  int32 e = 4 [json_name = "d"];\n}\n',
    [
      'a.proto:4:9: fields "a" and "b" in message "M" are both "b" in JSON: change one',
      'a.proto:6:16: fields "c" and "e" in message "M" are both "d" in JSON: change one',
    ],
  ],
  [
    'imports as they are not written',
    'edition = "2023";\nimport "google/protobuf/any.proto";\nimport "google/protobuf/any.proto";\nimport option "gorums.proto";\nimport "google/protobuf/empty.proto";\n',
    [
      'a.proto:3:8: "google/protobuf/any.proto" is imported twice: remove one of them',
      'a.proto:4:8: "import option" is for edition 2024: remove "option", or write edition = "2024";',
      'a.proto:5:8: what is imported for options only comes last: move this import before it',
    ],
  ],
  [
    'imports that edition 2024 does not have',
    'edition = "2024";\nimport weak "google/protobuf/any.proto";\nimport option "nope.proto";\n',
    [
      'a.proto:2:8: edition 2024 has no weak imports: remove "weak"',
      'a.proto:3:15: "nope.proto" is not found in "DIR": add -I with the folder that it is in',
    ],
  ],
  [
    'names that edition 2024 wants otherwise',
    'edition = "2024";\npackage Foo;\nmessage m {\n  int32 FooBar = 1;\n  oneof O {\n    int32 a_1 = 2;\n  }\n}\nenum E {\n  zero = 0;\n}\nservice s {\n  rpc r(m) returns (m);\n}\n',
    [
      'a.proto:2:9: the name of package "Foo" is not in lower_snake_case: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"',
      'a.proto:3:9: the name of message "m" is not in PascalCase: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"',
      'a.proto:4:9: the name of field "FooBar" is not in lower_snake_case: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"',
      'a.proto:5:9: the name of oneof "O" is not in lower_snake_case: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"',
      'a.proto:6:11: the name of field "a_1" is not in lower_snake_case: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"',
      'a.proto:10:3: the name of value "zero" is not in UPPER_SNAKE_CASE: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"',
      'a.proto:12:9: the name of service "s" is not in PascalCase: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"',
      'a.proto:13:7: the name of method "r" is not in PascalCase: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"',
    ],
  ],
  [
    'types that a strict file exports',
    'edition = "2024";\noption features.default_symbol_visibility = STRICT;\nmessage M {\n  export message N {}\n}\n',
    ['a.proto:4:18: message "N" within message "M" can not be exported from a strict file: declare it outside of it'],
  ],
  [
    'defaults and strings as they are not written',
    'syntax = "proto2";\nmessage M {\n  optional float a = 1 [default = INF];\n  optional float b = 2 [default = 1.5f];\n  optional uint32 c = 3 [default = -0];\n  optional string d = 4 [default = "\0"];\n  optional M e = 5 [default = {}];\n}\n',
    [
      'a.proto:3:25: the default of field "a": "INF" is no float',
      'a.proto:4:35: "1.5f" is neither a number nor a name',
      'a.proto:5:26: the default of field "c": -0 is negative: write a number from 0 to 4294967295',
      'a.proto:6:36: a string with the character NUL in it: write "\\0"',
      'a.proto:7:21: field "e" can have no default: remove it',
    ],
  ],
  [
    'a package that begins with a dot',
    'syntax = "proto3";\npackage .a;\n',
    ['a.proto:2:9: a package begins with a name, not with a dot, found "."'],
  ],
]

for (const [what, text, expected] of CASES) {
  test(`${what}: told with its place and with what to write instead`, (t) => {
    assert.deepEqual(problems(t, text, { 'b.proto': OTHER }), expected)
  })
}

test('the options of other languages need not be there in edition 2024, where nothing else looks at them', (t) => {
  const head = 'edition = "2024";\nimport option "google/protobuf/go_features.proto";\n'
  assert.deepEqual(problems(t, `${head}option features.(pb.go).api_level = API_OPAQUE;\nmessage M {}\n`), [])
  assert.deepEqual(problems(t, `${head}option features.(go).api_level = API_OPAQUE;\nmessage M {}\n`), [
    'a.proto:3:8: there is no option "(go)": declare it, or import the file that does',
  ])
})
