import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Answer } from './api-client.ts'

type Schema = Record<string, unknown> & { readonly $ref?: string }
type Content = Readonly<Record<string, { readonly schema: Schema }>>
type Response = { readonly $ref?: string; readonly content?: Content }

/** One thing that the API can do, as it is described. */
export type Operation = {
  readonly method: string
  readonly path: string
  /** Undefined = open to all. */
  readonly role: 'viewer' | 'administrator' | undefined
  readonly hasBody: boolean
  readonly responses: Readonly<Record<string, Response>>
}

/** The description of the API that is shipped, against which answers are held. */
export class ApiDescription {
  readonly text = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')
  readonly operations: readonly Operation[]
  /** `METHOD path status` of each answer that was held against the description. */
  readonly seen = new Set<string>()
  readonly #document = JSON.parse(this.text)

  constructor() {
    const paths: Record<string, Record<string, Record<string, unknown>>> = this.#document.paths
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => ({
        method: method.toUpperCase(),
        path,
        role: described['x-role'] as Operation['role'],
        hasBody: 'requestBody' in described,
        responses: described['responses'] as Operation['responses'],
      })),
    )
  }

  /** `METHOD path status` of everything that is described. */
  get all(): string[] {
    return this.operations.flatMap(({ method, path, responses }) =>
      Object.keys(responses)
        .filter(status => status !== 'default')
        .map(status => `${method} ${path} ${status}`),
    )
  }

  /** Holds an answer against the description; a status that is not described is none. */
  check(method: string, asked: string, answer: Answer): void {
    const operation = this.#operationOf(method, asked.split('?', 1)[0]!)
    const name = `${method} ${operation.path} ${answer.status}`
    const response = operation.responses[answer.status]
    expect(response, `${name} is not described: ${JSON.stringify(answer.value)}`).toBeDefined()
    const [[type, { schema }]] = Object.entries(response!.content!) as [[string, { schema: Schema }]]
    expect(String(answer.headers['content-type'])).toContain(type)
    const checked = z.fromJSONSchema(this.#resolved(schema)).safeParse(answer.value)
    expect(checked.error?.issues ?? [], name).toEqual([])
    this.seen.add(name)
  }

  #operationOf(method: string, path: string): Operation {
    const steps = path.split('/')
    const fits = (pattern: string) => {
      const wanted = pattern.split('/')
      return (
        wanted.length === steps.length &&
        wanted.every((want, at) => want.startsWith('{') || want === steps[at])
      )
    }
    const found = this.operations.filter(one => one.method === method && fits(one.path))
    // The one with the fewest braces is meant.
    return found.toSorted((one, other) => one.path.split('{').length - other.path.split('{').length)[0]!
  }

  #resolved(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema
    return schema.$ref
      .slice(2)
      .split('/')
      .reduce((held, step) => held[step], this.#document)
  }
}
