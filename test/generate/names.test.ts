// What a name means: the innermost scope that has its first part decides, as for protoc and buf. Visibility of edition 2024.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problems } from './told.ts'

const p3 = (text: string): string => `syntax = "proto3";\n${text}`
const e24 = (text: string): string => `edition = "2024";\n${text}`

/** What is wrong, the text, the file `b.proto` beside it, the problem. */
const CASES: readonly (readonly [string, string, string, string])[] = [
  [
    'an inner package has the first part of a name',
    p3('package x.a.y;\nimport "b.proto";\nmessage M {\n  a.b.C c = 1;\n}\n'),
    p3('package a.b;\nmessage C {}\n'),
    'a.proto:5:3: "a.b.C" means "x.a.b.C" here, which is not declared: write ".a.b.C"',
  ],
  [
    'a message within the message has the first part of a name',
    p3('message A {\n  message B {}\n}\nmessage M {\n  message A {}\n  A.B b = 1;\n}\n'),
    p3(''),
    'a.proto:7:3: "A.B" means "M.A.B" here, which is not declared: write ".A.B"',
  ],
  [
    'what an inner package means is in a file that is not imported',
    p3('package x.a.y;\nimport "b.proto";\nmessage M {\n  a.C c = 1;\n}\n'),
    p3('package a;\nimport "c.proto";\nmessage C {}\n'),
    'a.proto:5:3: "x.a.C" is declared in "c.proto", which is not imported: add import "c.proto";',
  ],
  [
    'a method has the name of its message',
    p3('message A {}\nmessage B {}\nservice S {\n  rpc A(A) returns (B);\n}\n'),
    p3(''),
    'a.proto:5:9: "A" is the method "S.A" here, not a message: write another name',
  ],
  [
    'the option of a method is looked for in a message',
    p3(
      'package p;\nimport "gorums.proto";\nmessage gorums {}\nservice S {\n  rpc R(gorums) returns (gorums) {\n    option (gorums.rpc) = true;\n  }\n}\n',
    ),
    p3(''),
    'a.proto:7:12: "(gorums.rpc)" means "p.gorums.rpc" here, which is not declared: write "(.gorums.rpc)"',
  ],
  [
    'a type of a file that is imported for options only',
    e24('import option "b.proto";\nmessage M {\n  b.C c = 1;\n}\n'),
    p3('package b;\nmessage C {}\n'),
    'a.proto:4:3: "b.C" is declared in "b.proto", which is imported for options only: write import "b.proto";',
  ],
  [
    'a type that is local to its file',
    e24('import "b.proto";\nmessage M {\n  b.C c = 1;\n}\n'),
    e24('package b;\nlocal message C {}\n'),
    'a.proto:4:3: "b.C" is for "b.proto" only: write "export" in front of its declaration there',
  ],
  [
    'a type within a message, which is local by itself in edition 2024',
    e24('import "b.proto";\nmessage M {\n  b.C.D d = 1;\n}\n'),
    e24('package b;\nmessage C {\n  enum D {\n    D_ZERO = 0;\n  }\n}\n'),
    'a.proto:4:3: "b.C.D" is for "b.proto" only: write "export" in front of its declaration there',
  ],
  [
    'a message has the name of the entries of a map',
    p3('message M {\n  map<int32, int32> by_name = 1;\n  message ByNameEntry {}\n}\n'),
    p3(''),
    'a.proto:4:11: "M.ByNameEntry" is declared already, at a.proto:3:21 (a map declares the message of its entries): rename one',
  ],
  [
    'a field and a message have one name',
    p3('message M {\n  int32 N = 1;\n  message N {}\n}\n'),
    p3(''),
    'a.proto:4:11: "M.N" is declared already, at a.proto:3:9: rename one',
  ],
]

for (const [what, text, other, expected] of CASES) {
  test(`${what}: told with its place and with what to write instead`, (t) => {
    const c = p3('package x.a;\nmessage C {}\n')
    assert.deepEqual(problems(t, text, { 'b.proto': other, 'c.proto': c }), [expected])
  })
}
