import { execFileSync } from 'node:child_process'

/** Runs OpenSSL, and gives what it printed on either side. @throws {Error} when it fails */
export function openssl(...args: readonly string[]): string {
  return execFileSync('/bin/sh', ['-c', 'exec openssl "$@" 2>&1', 'sh', ...args], { encoding: 'utf8' })
}
