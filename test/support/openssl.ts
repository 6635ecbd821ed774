import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs OpenSSL, and gives what it printed on either side. @throws {Error} when it fails */
export function openssl(...args: readonly string[]): string {
  return execFileSync('/bin/sh', ['-c', 'exec openssl "$@" 2>&1', 'sh', ...args], { encoding: 'utf8' })
}

/** PKCS #7 in DER, which holds the certificates of a PEM text. */
export function pkcs7Of(certificatesPem: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-pkcs7-'))
  try {
    writeFileSync(join(folder, 'certificates.pem'), certificatesPem)
    const made = openssl('crl2pkcs7', '-nocrl', '-certfile', join(folder, 'certificates.pem'))
    return Buffer.from(made.replace(/-----.*-----/g, ''), 'base64')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
