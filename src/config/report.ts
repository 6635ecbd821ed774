import type { z } from 'zod'
import { readText } from './files.ts'
import type { ConfigProblem } from './problems.ts'
import { isRecord, type Path, parseYaml, type YamlSource } from './yaml-source.ts'

/** Notes a problem at a key of one file. */
export type Report = (severity: ConfigProblem['severity'], path: Path, message: string) => void

/** Makes the function that notes problems of one file; what follows from a fault in its text is not told again. */
export function reporter(source: YamlSource, problems: ConfigProblem[]): Report {
  return (severity, path, message) => {
    if (!source.isUnread(path)) problems.push(source.problemAt(severity, path, message))
  }
}

/** Makes it for a file that was loaded before, to note what turns out later. */
export function openReport(file: string, problems: ConfigProblem[]): Report {
  const read = readText(file)
  return reporter(parseYaml(file, 'text' in read ? read.text : ''), problems)
}

/** Notes what a schema found wrong, each unknown key at its own place. */
export function reportIssues(report: Report, error: z.ZodError | undefined): void {
  for (const issue of error?.issues ?? []) {
    const path = issue.path.map(step => (typeof step === 'symbol' ? String(step) : step))
    const places = issue.code === 'unrecognized_keys' ? issue.keys.map(key => [...path, key]) : [path]
    for (const place of places) report('error', place, issue.message)
  }
}

/** The keys of a mapping that are right in themselves, so that a wrong one does not hide what is wrong with them. */
export function salvage<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  value: unknown,
): Partial<z.output<z.ZodObject<Shape>>> {
  const held = isRecord(value) ? value : {}
  const sound = Object.entries(schema.shape).flatMap(([key, field]) => {
    const checked = (field as z.ZodType).safeParse(held[key])
    return checked.success ? [[key, checked.data]] : []
  })
  return Object.fromEntries(sound)
}

/** The items of a list that are right in themselves, with their positions. */
export function salvageItems<Item extends z.ZodType>(
  item: Item,
  value: unknown,
): (readonly [position: number, item: z.output<Item>])[] {
  return (Array.isArray(value) ? value : []).flatMap((held, position) => {
    const checked = item.safeParse(held)
    return checked.success ? [[position, checked.data] as const] : []
  })
}
