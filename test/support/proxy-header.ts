/** The twelve bytes that every header of version 2 begins with. */
export const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** A PROXY header of version 2, of any make. @param address what follows the length, TLVs included */
export function binaryHeader(
  versionAndCommand: number,
  familyAndProtocol: number,
  address: Uint8Array,
  length: number = address.length,
): Buffer {
  const fixed = Buffer.from([versionAndCommand, familyAndProtocol, length >> 8, length & 0xff])
  return Buffer.concat([signature, fixed, address])
}

/** A PROXY header of version 2 for TCP over IPv4, to 192.0.2.1 port 5269. @param source four numbers with dots */
export function headerFrom(source: string, tlvs: Uint8Array = Buffer.alloc(0)): Buffer {
  const address = [...source.split('.').map(Number), 192, 0, 2, 1, 0xdc, 0x04, 0x14, 0x95]
  return binaryHeader(0x21, 0x11, Buffer.concat([Buffer.from(address), tlvs]))
}
