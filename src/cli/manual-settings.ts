import { bold, italic, item, pageHead, pageSection, roff } from './roff.ts'

/** As much of a JSON Schema as describes a setting. */
type Schema = {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
}

/**
 * gatehouse.yaml(5): every setting of the configuration and of the partner list.
 * @param schemas JSON Schemas of the two files
 */
export function settingsPage(schemas: { config: string; partners: string }, version: string): string {
  return [
    pageHead('GATEHOUSE.YAML', 5, version),
    pageSection('NAME', 'gatehouse.yaml, partners.yaml \\- configuration and partner list of gatehouse'),
    pageSection(
      'DESCRIPTION',
      roff(
        'Two files in YAML. Relative paths start from the folder of the file they stand in. Unknown keys are errors.',
      ),
      roff(
        'A duration is a number with its unit: 500ms, 30s, 5m, 1h. A secret is a text, { env: NAME } or { file: PATH }.',
      ),
      `${bold('gatehouse check')} tells everything that is wrong with them.`,
      roff('The daemon takes up changes at a reload, the section listen at a start.'),
    ),
    pageSection('CONFIGURATION', ...settings(JSON.parse(schemas.config), '')),
    pageSection('PARTNER LIST', ...settings(JSON.parse(schemas.partners), '')),
    pageSection('SEE ALSO', `${bold('gatehouse')}(1)`),
  ].join('')
}

function settings(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, setting]) =>
    setting.const === undefined
      ? settingItems(`${prefix}${key}`, setting, schema.required?.includes(key) === true)
      : [],
  )
}

function settingItems(name: string, setting: Schema, isRequired: boolean): string[] {
  const { description = '', items, additionalProperties: named, properties, oneOf } = setting
  const own = item(
    bold(name),
    ...[description, facts(setting, isRequired)].filter(text => text !== '').map(roff),
  )
  const byName = typeof named === 'object' ? named : undefined
  const isPlain = description === '' && facts(setting, false) === ''
  return [
    ...(isPlain ? [] : [own]),
    ...(properties === undefined ? [] : settings(setting, `${name}.`)),
    ...(items?.properties === undefined ? [] : settings(items, `${name}[].`)),
    ...(byName === undefined ? [] : settings(byName, `${name}.DOMAIN.`)),
    ...(oneOf ?? []).flatMap(variant => variantItems(name, variant)),
  ]
}

/** A section that holds other settings with each value of one of them. */
function variantItems(name: string, variant: Schema): string[] {
  const [key, choice] =
    Object.entries(variant.properties ?? {}).find(([, { const: value }]) => value !== undefined) ?? []
  if (key === undefined) return []
  const others = settings(variant, `${name}.`)
  const { description = others.length > 0 ? 'With it:' : 'Nothing else with it.' } = variant
  return [item(`${bold(`${name}.${key}`)}: ${italic(String(choice?.const))}`, roff(description)), ...others]
}

function facts(setting: Schema, isRequired: boolean): string {
  const kind = kindOf(setting)
  const { default: preset } = setting
  const isShown = preset !== undefined && typeof preset !== 'object'
  const parts = [
    ...(isRequired ? ['required'] : []),
    ...(kind === '' ? [] : [kind]),
    ...(isShown ? [`default: ${String(preset)}`] : []),
  ]
  return parts.length === 0 ? '' : `(${parts.join('; ')})`
}

function kindOf({ type, enum: words, minimum, maximum, items, anyOf }: Schema): string {
  if (words !== undefined) return words.join(' | ')
  if (anyOf !== undefined) return 'a secret'
  if (type === 'integer') return `${minimum} to ${maximum}`
  if (type === 'boolean') return 'true | false'
  if (type === 'array') return items?.properties === undefined ? 'a list' : 'a list of mappings'
  return ''
}
