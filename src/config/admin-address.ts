import { readText } from './files.ts'
import { salvage } from './report.ts'
import { adminSchema, configSchema } from './schema.ts'
import { parseYaml } from './yaml-source.ts'

/**
 * Where the daemon of this configuration file answers on its admin port. Nothing else of the file has to be right, and what is
 * faulty counts as left out: an edit with a mistake must not make a daemon look dead that runs on with what it has read.
 */
export function readAdminAddress(file: string): { readonly address: string; readonly port: number } {
  const read = readText(file)
  const written = 'text' in read ? parseYaml(file, read.text).value : {}
  return salvage(configSchema, written).admin ?? adminSchema.parse({})
}
