// Storage in a directory of the file system.

import { mkdir, open, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Storage, StorageFile } from './runtime.ts'

/** Storage in `directory`, which is made when something is first opened. Names must be plain: RangeError for others. */
export function nodeStorage(directory: string): Storage {
  return {
    async open(name) {
      const file = pathOf(directory, name)
      await mkdir(directory, { recursive: true })
      return openFile(file)
    },
    remove: (name) => rm(pathOf(directory, name), { force: true }),
    async list() {
      const entries = await readdir(directory, { withFileTypes: true }).catch(ignoreMissing)
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
    },
  }
}

async function openFile(file: string): Promise<StorageFile> {
  const handle = await open(file, 'r+').catch((error: unknown) => {
    ignoreMissing(error)
    return open(file, 'w+')
  })
  return {
    size: async () => (await handle.stat()).size,
    async read(position, length) {
      const bytes = Buffer.alloc(length)
      let count = 0
      while (count < length) {
        const { bytesRead } = await handle.read(bytes, count, length - count, position + count)
        if (bytesRead === 0) break
        count += bytesRead
      }
      return bytes.subarray(0, count)
    },
    async write(position, bytes) {
      for (let count = 0; count < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, count, bytes.length - count, position + count)
        count += bytesWritten
      }
    },
    truncate: (size) => handle.truncate(size),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  }
}

function pathOf(directory: string, name: string): string {
  if (!/^[\w.-]{1,200}$/.test(name) || name === '.' || name === '..')
    throw new RangeError(
      `a file name has 1 to 200 letters, digits, dots, dashes and underscores: ${JSON.stringify(name)}`,
    )
  return path.join(directory, name)
}

/** What is not there is empty; any other fault is thrown. */
function ignoreMissing(error: unknown): [] {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  return []
}
