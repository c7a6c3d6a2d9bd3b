// Who may be which node under TLS: whether this side asks for certificates or has one, and which node ids a certificate
// names.

import type { Transport } from '../options.ts'
import type { PeerIdentity, TlsOptions } from './runtime.ts'

/** Whether a server with these options asks its clients for certificates. */
export function asksForCertificates(tls: TlsOptions | undefined): boolean {
  return tls !== undefined && (tls.requestCert ?? tls.ca !== undefined)
}

/** Whether this side has a certificate of its own: then it binds the other side's node id to that side's. */
export function hasCertificate(tls: TlsOptions | undefined): boolean {
  return tls !== undefined && (tls.cert !== undefined || tls.pfx !== undefined)
}

/** The node ids that a certificate names; none without one, and none when `identify` throws. */
export function nodeIDsOf(transport: Transport, identity: PeerIdentity | undefined): readonly string[] {
  if (identity === undefined) return []
  try {
    const ids = transport.identify(identity)
    if (Array.isArray(ids)) return ids
    throw new TypeError('identify() must return an array of node ids')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    transport.logger.error?.(`identify() failed for the certificate of "${identity.commonName}": ${why}`, error)
    return []
  }
}

/** A list of node ids for a message. */
export function describeNodeIDs(ids: readonly string[]): string {
  return ids.length === 0 ? 'no node' : ids.map((id) => `"${id}"`).join(', ')
}
