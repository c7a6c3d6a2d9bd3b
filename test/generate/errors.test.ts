// What is wrong with a .proto file is said as compilers do: place, what, and what to write instead; all of it in one run.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problems } from './told.ts'

const HEAD = 'syntax = "proto3";\nimport "gorums.proto";\nmessage M {}\n'
const method = (options: string, types = '(M) returns (M)'): string =>
  `${HEAD}service S {\n  rpc Read${types} {\n    ${options}\n  }\n}\n`

/** What is to be written instead of the options of earlier versions. */
const REPLACED: Readonly<Record<string, string>> = {
  qc: 'write "(gorums.quorumcall)"',
  qc_future: 'write "(gorums.quorumcall)": every call is asynchronous',
  qf_with_req: 'remove it: quorum functions always get the request',
  correctable_stream: 'write "(gorums.quorumcall)" and "returns (stream …)"',
  ordered: 'remove it: all calls are in order',
  concurrent: 'remove it, and call context.release() in the handler',
}

/** What is wrong, the text, the problems. */
const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'two call types on one method',
    method('option (gorums.unicast) = true; option (gorums.multicast) = true;'),
    ['a.proto:6:44: method "Read" has the call types "(gorums.unicast)" and "(gorums.multicast)": keep one of them'],
  ],
  [
    'a stream that is no quorum call',
    method('', '(M) returns (stream M)'),
    [
      'a.proto:5:31: method "Read" replies with a stream but is no quorum call: write "option (gorums.quorumcall) = true;" in its block, or remove "stream"',
    ],
  ],
  [
    'a one-way method that replies with a stream',
    method('option (gorums.multicast) = true;', '(M) returns (stream M)'),
    [
      'a.proto:5:31: method "Read" is one-way (multicast) and answers nothing: remove "stream", or write "option (gorums.quorumcall) = true;"',
    ],
  ],
  [
    'a one-way method that takes a stream of requests',
    method('option (gorums.unicast) = true;', '(stream M) returns (M)'),
    [
      'a.proto:5:19: method "Read" takes a stream of requests, which is not supported: remove "stream" and call it once per request',
    ],
  ],
  [
    'a stream of requests',
    method('option (gorums.quorumcall) = true;', '(stream M) returns (M)'),
    [
      'a.proto:5:19: method "Read" takes a stream of requests, which is not supported: remove "stream" and call it once per request',
    ],
  ],
  ...['qc', 'qc_future', 'qf_with_req', 'correctable_stream', 'ordered', 'concurrent'].map(
    (name) =>
      [
        `the option "${name}" of an earlier Gorums`,
        method(`option (gorums.${name}) = true;`),
        [`a.proto:6:12: the option "(gorums.${name})" is of an earlier Gorums: ${REPLACED[name]}`],
      ] as const,
  ),
  [
    'an option that Gorums never had',
    method('option (gorums.anycast) = true;'),
    ['a.proto:6:12: there is no option "(gorums.anycast)": there are rpc, unicast, multicast and quorumcall'],
  ],
  [
    'an option without its import',
    'syntax = "proto3";\nmessage M {}\nservice S { rpc Read(M) returns (M) { option (gorums.rpc) = true; } }\n',
    ['a.proto:3:46: "(gorums.rpc)" is not declared here: add import "gorums.proto";'],
  ],
  [
    'a method whose key would break the client',
    `${HEAD}service S {\n  rpc Then(M) returns (M) {}\n}\n`,
    ['a.proto:5:7: "Then" can not be the name of a method: clients have "then" already, or must not; rename it'],
  ],
  [
    'two methods of one key',
    `${HEAD}service S {\n  rpc ReadAll(M) returns (M) {}\n  rpc read_all(M) returns (M) {}\n}\n`,
    ['a.proto:6:7: methods "ReadAll" and "read_all" are both "readAll" in TypeScript: rename one'],
  ],
  [
    'two methods of one id on the wire',
    // The SHA-256 of both full names begins with the same four bytes.
    `${HEAD}service S {\n  rpc Read57204(M) returns (M);\n  rpc Read93063(M) returns (M);\n}\n`,
    ['a.proto:6:7: methods "S/Read57204" and "S/Read93063" have the same id on the wire: rename one'],
  ],
  [
    'two fields of one key',
    'syntax = "proto3";\nmessage M {\n  int32 send_time = 1;\n  int32 sendTime = 2;\n}\n',
    ['a.proto:4:9: "send_time" and "sendTime" in message "M" are both "sendTime" in TypeScript: rename one'],
  ],
  [
    'two types of one name',
    'syntax = "proto3";\nmessage A {\n  message B {}\n}\nmessage A_B {}\n',
    ['a.proto:5:9: A.B and A_B are both called A_B in TypeScript: rename one of them'],
  ],
  [
    'numbers of fields that can not be',
    'syntax = "proto3";\nmessage M {\n  reserved 5; reserved "gone";\n  int32 a = 0;\n  int32 b = 19500;\n  int32 c = 5;\n  int32 gone = 6;\n  int32 d = 7;\n  int32 e = 7;\n}\n',
    [
      'a.proto:4:9: the number of field "a" is 0: choose one from 1 to 536870911',
      'a.proto:5:9: the number of field "b" is 19500: 19000 to 19999 belong to protobuf itself',
      'a.proto:6:9: the number 5 is reserved in message "M": choose another for field "c"',
      'a.proto:7:9: the name "gone" is reserved in message "M": choose another',
      'a.proto:9:9: fields "d" and "e" both have the number 7: give one of them another',
    ],
  ],
  [
    'values of enums that can not be',
    'syntax = "proto3";\nenum E {\n  reserved 3;\n  A = 1;\n  B = 1;\n  C = 3;\n}\nenum F {}\n',
    [
      'a.proto:4:3: the first value of enum "E" must be 0: it is what an absent field reads as',
      'a.proto:5:3: values "A" and "B" both have the number 1: write "option allow_alias = true;" if that is meant',
      'a.proto:6:3: the number 3 is reserved in enum "E": choose another for "C"',
      'a.proto:8:6: enum "F" has no values: add one with the number 0',
    ],
  ],
  [
    'what is declared twice',
    'syntax = "proto3";\nmessage M { int32 a = 1; int32 a = 2; oneof o {} }\nmessage M {}\n',
    [
      'a.proto:2:32: "a" is declared twice in message "M": rename one',
      'a.proto:2:45: oneof "o" has no fields: add one, or remove it',
      'a.proto:3:9: "M" is declared already, at a.proto:2:9: rename one',
    ],
  ],
  [
    'an import that is not there',
    'syntax = "proto3";\nimport "b.proto";\nmessage M {}\n',
    ['a.proto:2:8: "b.proto" is not found in "DIR": add -I with the folder that it is in'],
  ],
  [
    'a type that is not there',
    'syntax = "proto3";\nmessage M {\n  Nope nope = 1;\n}\n',
    ['a.proto:3:3: there is no type "Nope": declare it, or import the file that does'],
  ],
  [
    'mistakes in how it is written, all of them',
    'syntax = "proto3"\nmessage M {\n  int32 = 1;\n  string s 2;\n  bytes b = x;\n}\nenum {}\n',
    [
      'a.proto:2:1: ";" is missing after the syntax, found "message"',
      'a.proto:3:9: the name of a field is missing, found "="',
      'a.proto:4:12: "=" is missing after the name of field "s": write its number, for example "= 1", found "2"',
      'a.proto:5:13: the number of field "b" must be a whole number, found "x"',
      'a.proto:7:6: the name of an enum is missing, found "{"',
    ],
  ],
  [
    'a block that nothing closes',
    'syntax = "proto3";\nmessage M {\n  int32 a = 1;\n',
    ['a.proto:4:1: "}" is missing at the end of message "M", the file ends here'],
  ],
]

for (const [what, text, expected] of CASES) {
  test(`${what}: told with its place and with what to write instead`, (t) => {
    assert.deepEqual(problems(t, text), expected)
  })
}

test('a multicast may take a stream of requests, as in .proto files of Gorums, and is a multicast like any other', (t) => {
  assert.deepEqual(problems(t, method('option (gorums.multicast) = true;', '(stream M) returns (M)')), [])
})

test('a type of a file that is not imported: told which to import', (t) => {
  const b = 'syntax = "proto3";\npackage b;\nimport "c.proto";\n'
  const c = 'syntax = "proto3";\npackage c;\nmessage Deep {}\n'
  const text = 'syntax = "proto3";\nimport "b.proto";\nmessage M {\n  c.Deep deep = 1;\n}\n'
  assert.deepEqual(problems(t, text, { 'b.proto': b, 'c.proto': c }), [
    'a.proto:4:3: "c.Deep" is declared in "c.proto", which is not imported: add import "c.proto";',
  ])
})

test('files that import each other in a circle: told how', (t) => {
  const b = 'syntax = "proto3";\nimport "a.proto";\n'
  assert.deepEqual(problems(t, 'syntax = "proto3";\nimport "b.proto";\n', { 'b.proto': b }), [
    'b.proto:2:8: the files import each other in a circle: a.proto → b.proto → a.proto',
  ])
})
