/** Which way messages go: `in` from partners to the inside, `out` the other way. */
export type Way = 'in' | 'out'

/** One message: its number among those of one partner and way. */
export type Numbered = { readonly partner: number; readonly way: Way; readonly number: number }

const idOf = ({ partner, way, number }: Numbered) => `${way}-${partner}-${number}`

/** What became of the messages of one partner and way. */
class Page {
  /** By number: how often it was delivered, and how often it came back. */
  readonly fates: { delivered: number; bounced: number }[] = []
  accounted = 0
  /** All before it are accounted for. */
  firstOpen = 0
  lastDelivered = -1
  outOfOrder = 0
}

/** The sum of one way. */
export type Account = {
  readonly sent: number
  readonly delivered: number
  readonly bounced: number
  readonly missing: readonly string[]
  /** Arrived more than once, or arrived and came back as well. */
  readonly duplicates: readonly string[]
  readonly outOfOrder: number
  /** Why messages came back. */
  readonly causes: Readonly<Record<string, number>>
}

/** Every message that was sent, and what became of it. */
export class Ledger {
  readonly #pages: Record<Way, Page[]>
  readonly #causes: Record<Way, Record<string, number>> = { in: {}, out: {} }
  /** Arrived, and were never sent. */
  readonly unknown: string[] = []

  constructor(partners: number) {
    const pages = () => Array.from({ length: partners }, () => new Page())
    this.#pages = { in: pages(), out: pages() }
  }

  /** @returns the id of the next message */
  send(partner: number, way: Way): string {
    const { fates } = this.#pages[way][partner]!
    fates.push({ delivered: 0, bounced: 0 })
    return idOf({ partner, way, number: fates.length - 1 })
  }

  /** Notes that a message arrived; `cause` is why it came back, where it did. */
  arrives(id: string, cause?: string): void {
    const [way, partner, number] = id.split('-') as [Way, string, string]
    const page = this.#pages[way]?.[Number(partner)]
    const fate = page?.fates[Number(number)]
    if (page === undefined || fate === undefined) {
      this.unknown.push(id)
      return
    }
    if (fate.delivered + fate.bounced === 0) page.accounted++
    if (cause !== undefined) {
      fate.bounced++
      const causes = this.#causes[way]
      causes[cause] = (causes[cause] ?? 0) + 1
      return
    }
    fate.delivered++
    if (Number(number) < page.lastDelivered) page.outOfOrder++
    page.lastDelivered = Math.max(page.lastDelivered, Number(number))
  }

  /** Waits until all that these partners have been sent, or have sent, until now is accounted for. @returns whether it was in time */
  async settles(partners: readonly number[], ms: number): Promise<boolean> {
    const marks = partners.flatMap(partner =>
      [this.#pages.in[partner]!, this.#pages.out[partner]!].map(page => ({ page, end: page.fates.length })),
    )
    const untilMs = performance.now() + ms
    const isSettled = () => marks.every(({ page, end }) => firstOpen(page) >= end)
    while (!isSettled()) {
      if (performance.now() > untilMs) return false
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return true
  }

  /** Messages on their way. */
  get open(): number {
    return [...this.#pages.in, ...this.#pages.out].reduce(
      (sum, page) => sum + page.fates.length - page.accounted,
      0,
    )
  }

  account(way: Way): Account {
    const pages = this.#pages[way]
    const ids = (fits: (fate: Page['fates'][number]) => boolean) =>
      pages.flatMap((page, partner) =>
        page.fates.flatMap((fate, number) => (fits(fate) ? [idOf({ partner, way, number })] : [])),
      )
    const missing = ids(fate => fate.delivered + fate.bounced === 0)
    const delivered = ids(fate => fate.delivered > 0).length
    const sent = pages.reduce((sum, { fates }) => sum + fates.length, 0)
    return {
      ...{ sent, delivered, bounced: sent - delivered - missing.length, missing },
      duplicates: ids(fate => fate.delivered + fate.bounced > 1),
      outOfOrder: pages.reduce((sum, page) => sum + page.outOfOrder, 0),
      causes: this.#causes[way],
    }
  }
}

function firstOpen(page: Page): number {
  const { fates } = page
  while (page.firstOpen < fates.length) {
    const { delivered, bounced } = fates[page.firstOpen]!
    if (delivered + bounced === 0) break
    page.firstOpen++
  }
  return page.firstOpen
}
