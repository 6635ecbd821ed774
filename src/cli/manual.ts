import { mkdirSync, writeFileSync } from 'node:fs'
import manifest from '../../package.json' with { type: 'json' }
import { jsonSchemas } from '../config/json-schema.ts'
import { programTree } from './arguments.ts'
import { commandsPage } from './manual-commands.ts'
import { settingsPage } from './manual-settings.ts'

/** The manual pages that are shipped, by the name of the file under man/. */
export function manualPages(): ReadonlyMap<string, string> {
  const schemas = jsonSchemas()
  const [config = '', partners = ''] = ['gatehouse', 'partners'].map(name =>
    schemas.get(`${name}.schema.json`),
  )
  return new Map([
    ['gatehouse.1', commandsPage(programTree(), manifest.version)],
    ['gatehouse.yaml.5', settingsPage({ config, partners }, manifest.version)],
  ])
}

// Run by itself, it renews the shipped files.
if (import.meta.main) {
  mkdirSync(new URL('../../man/', import.meta.url), { recursive: true })
  for (const [name, text] of manualPages()) writeFileSync(new URL(`../../man/${name}`, import.meta.url), text)
}
