#!/usr/bin/env node
// The plugin for protoc (`--gorums_out=gen`) and buf: see src/generate/plugin.ts. Nothing but the response goes to stdout.

import { readFileSync } from 'node:fs'
import { answerPlugin } from '../src/generate/plugin.ts'

process.stdout.write(answerPlugin(readFileSync(0)))
