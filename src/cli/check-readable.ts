import { closeSync, constants, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Identities } from '../config/identities.ts'
import type { Report } from '../config/report.ts'
import { ownerOf } from '../files/own-files.ts'
import type { Host } from './host.ts'

/**
 * Warns of certificates and keys that root can read, who asks, and the gateway's user cannot: he whose the folder of the database is.
 * From here on the command goes on with his rights.
 * @param database the path of `store.sqlite`
 */
export function reportUnreadable(
  { domains }: Identities,
  database: string,
  report: Report,
  host: Pick<Host, 'goOnAs'>,
): void {
  const folder = dirname(database)
  const owner = ownerOf(folder)
  if (!host.goOnAs(owner)) return
  for (const { writtenAs, selfSigned, certificate, keyFile } of domains) {
    for (const [name, file] of Object.entries({ certificate: certificate?.path, key: keyFile })) {
      if (file === undefined || mayRead(file)) continue
      const path = ['domains', writtenAs, selfSigned ? 'selfSigned' : name]
      const whose = `the user whose ${folder} is (uid ${owner.uid}), and so mostly not to the gateway`
      const remedy = `give his group (${owner.gid}) the right to read it, and to enter the folders above: chgrp ${owner.gid} ${file} && chmod 640 ${file}`
      report('warning', path, `${file} is not readable to ${whose}: ${remedy}`)
    }
  }
}

/** By opening it: that counts the folders above, too. What is not there, the load has told. */
function mayRead(file: string): boolean {
  try {
    closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK))
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EACCES')
  }
}
