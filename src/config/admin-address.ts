import { readBytes } from './files.ts'
import { salvage } from './report.ts'
import { adminSchema, configSchema } from './schema.ts'
import { parseYaml } from './yaml-source.ts'

/** An IP address and a port. */
export type AdminAddress = { readonly address: string; readonly port: number }

/** Where a daemon answers whose configuration says nothing of it. */
export const defaultAdminAddress: AdminAddress = adminSchema.parse({})

/**
 * Where the daemon of this configuration file answers on its admin port. Nothing else of the file has to be right, and what is
 * faulty counts as left out: an edit with a mistake must not make a daemon look dead that runs on with what it has read.
 * @returns the fault where the file cannot be read: whoever answers at the default may be another gateway
 */
export function readAdminAddress(file: string): AdminAddress | { readonly fault: string } {
  const read = readBytes(file)
  if ('fault' in read) return read
  return (
    salvage(configSchema, parseYaml(file, read.bytes.toString('utf8')).value).admin ?? defaultAdminAddress
  )
}
