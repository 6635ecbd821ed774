import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import { configSchema, partnerFileSchema } from './schema.ts'

/** The JSON Schemas that editors check the two files with, by the name of the shipped file. */
export function jsonSchemas(): ReadonlyMap<string, string> {
  return new Map([
    ['gatehouse.schema.json', render(configSchema, 'Gatehouse configuration')],
    ['partners.schema.json', render(partnerFileSchema, 'Gatehouse partner list')],
  ])
}

function render(schema: z.ZodType, title: string): string {
  const described = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' })
  return `${JSON.stringify({ title, ...described }, undefined, 2)}\n`
}

// Run by itself, it renews the shipped files.
if (import.meta.main) {
  for (const [name, text] of jsonSchemas()) {
    writeFileSync(new URL(`../../config/${name}`, import.meta.url), text)
  }
}
