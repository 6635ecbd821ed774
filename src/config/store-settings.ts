import { dirname, join, resolve } from 'node:path'
import { partnerList } from '../policy/partner.ts'
import type { Domain } from '../xmpp/address.ts'
import { openPartnerFile, readPartnerFile } from './partner-file.ts'
import { localNames, readConfigFile } from './read-config.ts'
import { type Config, configSchema } from './schema.ts'

/** Where the gateway keeps what it has to remember, and of whom it may be: for commands, while it does not run. */
export type StoreSettings = Pick<Config, 'store' | 'partners'> & { readonly domains: ReadonlySet<Domain> }

/**
 * Reads where the databases are, the local domains and the partner list. No certificate of ours is needed for that, and no secret:
 * under systemd they are there only for the daemon, while it runs.
 * @throws {ConfigError} with everything that is wrong in the configuration's own text, or in the partner list
 */
export function readStoreSettings(file: string): StoreSettings {
  const list = openPartnerFile(file)
  const { source } = readConfigFile(file)
  return {
    store: storeFiles(configSchema.shape.store.parse(source.value['store']), dirname(resolve(file))),
    domains: new Set([...localNames(source.value['domains'])].filter(domain => domain !== undefined)),
    partners: partnerList(readPartnerFile(list).entries.flatMap(({ partner }) => partner ?? [])),
  }
}

/** The databases by their absolute names. */
export function storeFiles(
  { sqlite, journal }: { readonly sqlite: string; readonly journal?: string | undefined },
  folder: string,
): Config['store'] {
  return {
    sqlite: resolve(folder, sqlite),
    journal: resolve(folder, journal ?? join(dirname(sqlite), 'journal.db')),
  }
}
