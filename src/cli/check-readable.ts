import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import type { Identities } from '../config/identities.ts'
import type { Report } from '../config/report.ts'
import { type Owner, ownerOf } from '../files/own-files.ts'

/**
 * Warns of certificates and keys that root can read, who asks, and the gateway's user cannot: he whose the folder of the database is.
 * @param database the path of `store.sqlite`
 */
export function reportUnreadable({ domains }: Identities, database: string, report: Report): void {
  const owner = ownerOf(dirname(database))
  if (userInfo().uid !== 0 || owner.uid === 0) return
  for (const { writtenAs, selfSigned, certificate, keyFile } of domains) {
    for (const [name, file] of Object.entries({ certificate: certificate?.path, key: keyFile })) {
      if (file === undefined || mayRead(file, owner)) continue
      const path = ['domains', writtenAs, selfSigned ? 'selfSigned' : name]
      const whose = `the user whose ${dirname(database)} is (uid ${owner.uid}), and so mostly not to the gateway`
      report(
        'warning',
        path,
        `${file} is not readable to ${whose}: chgrp ${owner.gid} ${file} && chmod 640 ${file}`,
      )
    }
  }
}

function mayRead(file: string, owner: Owner): boolean {
  const there = statSync(file, { throwIfNoEntry: false })
  if (there === undefined) return true // the load has said so
  const { mode, uid, gid } = there
  const bit = uid === owner.uid ? 0o400 : gid === owner.gid ? 0o040 : 0o004
  return (mode & bit) !== 0
}
