// Certificate authorities and the certificates they sign, made while a test runs and valid for this machine's loopback
// address. It owns no test; nothing is kept on disk.

import { generate } from 'selfsigned'

/** A certificate and its private key, PEM, as TLS options take them. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** What a certificate says. */
export interface CertificateOptions {
  /** Its SAN URIs. */
  readonly uris?: readonly string[]
  /** Its SAN DNS names. */
  readonly dnsNames?: readonly string[]
  readonly commonName?: string
  readonly notBefore?: Date
  readonly notAfter?: Date
}

/** An authority: `ca` is what those who trust it are given. */
export interface Authority {
  readonly ca: string
  issue(options?: CertificateOptions): Promise<Certificate>
  /** A certificate that names one node, by URI. */
  issueNode(nodeID: string): Promise<Certificate>
}

const DAY_MS = 24 * 3_600_000
/** A span of validity that is over. */
export const EXPIRED = { notBefore: new Date(Date.now() - 3 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) }
/** A span of validity that has not begun. */
export const NOT_YET_VALID = { notBefore: new Date(Date.now() + DAY_MS), notAfter: new Date(Date.now() + 3 * DAY_MS) }

/** Makes an authority with a key of its own. */
export async function createAuthority(name = 'an authority of this test'): Promise<Authority> {
  const own = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const issue = async (options: CertificateOptions = {}): Promise<Certificate> => {
    const signed = await generate([{ name: 'commonName', value: options.commonName ?? 'a certificate' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      ca: { cert: own.cert, key: own.private },
      ...(options.notBefore === undefined ? {} : { notBeforeDate: options.notBefore }),
      ...(options.notAfter === undefined ? {} : { notAfterDate: options.notAfter }),
      extensions: [
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            ...(options.uris ?? []).map((value) => ({ type: 6 as const, value })),
            ...(options.dnsNames ?? []).map((value) => ({ type: 2 as const, value })),
            { type: 7 as const, ip: '127.0.0.1' },
          ],
        },
      ],
    })
    return { cert: signed.cert, key: signed.private }
  }
  return { ca: own.cert, issue, issueNode: (nodeID) => issue({ uris: [`gorums:node:${nodeID}`], commonName: nodeID }) }
}
