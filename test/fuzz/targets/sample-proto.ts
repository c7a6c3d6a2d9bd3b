// A message type with a field of every kind, which refers to itself in every way that it can.

import { readFileSync } from 'node:fs'

export const SAMPLE_PROTO = readFileSync(new URL('../../codec/sample.proto', import.meta.url), 'utf8')
