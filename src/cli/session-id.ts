/** Is this the id of a stream? No domain ends in digits alone behind a hyphen, and has eight hex digits before it, and no dot. */
export function isSessionId(text: string): boolean {
  return /^[0-9a-f]{8}-\d+$/.test(text)
}
