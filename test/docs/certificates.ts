// The certificates that a program of the guide reads from beside itself, made when the tests run: a certificate authority
// and, for each node, a key and a certificate that names the node. None of them is kept.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { createAuthority } from '../certificates.ts'

const NODE_IDS = ['a', 'app']

/** Writes `ca.pem` and, for each node, `<id>.key` and `<id>.pem` into the folder. */
export async function writeCertificates(folder: string): Promise<void> {
  const authority = await createAuthority()
  writeFileSync(path.join(folder, 'ca.pem'), authority.ca)
  for (const nodeID of NODE_IDS) {
    const { key, cert } = await authority.issueNode(nodeID)
    writeFileSync(path.join(folder, `${nodeID}.key`), key)
    writeFileSync(path.join(folder, `${nodeID}.pem`), cert)
  }
}
