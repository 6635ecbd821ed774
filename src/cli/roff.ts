/** Text as man(7) takes it: nothing in it is a request, and every character is ASCII. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^[.']/gm, '\\&$&')
    .replace(
      /[^\x20-\x7e\n]/gu,
      one => `\\[u${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}

/** Bold text. */
export function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`
}

/** Text for which something else is to be put. */
export function italic(text: string): string {
  return `\\fI${roff(text)}\\fR`
}

/** The head of a page; without a date, so that it changes with its source alone. */
export function pageHead(name: string, section: number, version: string): string {
  return `.\\" Made from the source; "node src/cli/manual.ts" renews it.\n.TH ${roff(name)} ${section} "" "gatehouse ${roff(version)}" "Gatehouse"\n`
}

/** A section of a page. */
export function pageSection(title: string, ...lines: readonly string[]): string {
  return `.SH ${title}\n${lines.join('\n')}\n`
}

/** A term, and behind it what it means. */
export function item(term: string, ...lines: readonly string[]): string {
  return ['.TP', term, ...lines.filter(line => line !== '')].join('\n')
}
