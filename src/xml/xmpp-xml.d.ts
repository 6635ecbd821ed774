/** What we use of @xmpp/xml, which ships no types. */
declare module '@xmpp/xml' {
  export type Node = Element | string

  export class Element {
    constructor(name: string, attrs?: Record<string, string | undefined>)
    name: string
    parent: Element | null
    children: Node[]
    attrs: Record<string, string | undefined>
    is(name: string, namespace?: string): boolean
    getName(): string
    getNS(): string | undefined
    findNS(prefix?: string): string | undefined
    getChild(name: string, namespace?: string): Element | undefined
    getChildren(name: string, namespace?: string): Element[]
    getChildElements(): Element[]
    getChildText(name: string, namespace?: string): string | null
    getText(): string
    append(...children: Node[]): void
    remove(child: Element): this
  }

  /** The parser of streams; we compare ourselves with it. */
  export class Parser {
    on(event: string, listener: (element: Element) => void): this
    write(text: string): void
  }
}
