import { stringify } from 'yaml'

/** What an edit writes. */
export type Written = string | number | boolean | readonly Written[] | WrittenMap

export type WrittenMap = { readonly [key: string]: Written }

/** How a value is written: on lines of its own, within brackets, or in a text that is JSON. */
export type Style = 'block' | 'flow' | 'json'

/** A value on one line. */
export function render(value: Written, style: Style): string {
  if (Array.isArray(value)) return `[${value.map(item => render(item, inner(style))).join(', ')}]`
  if (isWrittenMap(value)) {
    const pairs = Object.entries(value).map(
      ([key, held]) => `${render(key, inner(style))}: ${render(held, inner(style))}`,
    )
    return `{ ${pairs.join(', ')} }`
  }
  if (typeof value !== 'string') return String(value)
  // Also what YAML would break into lines.
  if (style === 'json' || /[\p{Cc}\u2028\u2029\ufeff]/u.test(value)) return JSON.stringify(value)
  const options = { lineWidth: 0, flowCollectionPadding: false } as const
  return style === 'block'
    ? stringify({ k: value }, options).trimEnd().slice('k: '.length)
    : stringify([value], { ...options, collectionStyle: 'flow' })
        .trimEnd()
        .slice(1, -1)
}

function inner(style: Style): Style {
  return style === 'block' ? 'flow' : style
}

export function isWrittenMap(value: Written): value is WrittenMap {
  return typeof value === 'object' && !Array.isArray(value)
}
