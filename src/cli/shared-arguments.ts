import { InvalidArgumentError } from 'commander'
import { type Domain, parseDomain } from '../xmpp/address.ts'

/** Reads a domain from the command line. @throws {InvalidArgumentError} where it is none */
export function domainArgument(text: string): Domain {
  const domain = parseDomain(text)
  if (domain === undefined) throw new InvalidArgumentError('Expected a domain such as contoso.com.')
  return domain
}

/** Reads a whole number from the command line. @throws {InvalidArgumentError} where it is none */
export function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a number.')
  return Number(text)
}
