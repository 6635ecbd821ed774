import { describe, expect, test } from 'vitest'
import { header, inChunks, inTwo, streams, transcript } from './transcript.ts'

/** What stands in a stream, and how the reader ends: with elements read and the stream going on, or with a fault. */
const content: readonly (readonly [content: string, outcome: string])[] = [
  // Plain stanzas.
  ['<message/>', 'read'],
  ['<message></message >', 'read'],
  ['<message  to = "a"\n\tid\r\n=\'1\' />', 'read'],
  [
    "<message><body>caf\u00e9 \u4f60 \u{1f600}</body></message> <presence/>\n<iq type='get' id='1'><q xmlns='urn:q'/></iq>",
    'read',
  ],
  ['<m a="it\'s" b=\'"\'>x > y</m>', 'read'],
  ['<m __proto__="x" constructor="y"/>', 'read'],
  ['<m>&lt;&gt;&amp;&apos;&quot;&#65;&#x41;&#x1f600;&#000000000065;</m>', 'read'],
  ['<m a="&lt;&#10;"/>', 'read'],
  ['<m><![CDATA[<body>&foo;]]]]><![CDATA[>]]></m>', 'read'],
  ['<m><![CDATA[]]></m>', 'read'],
  ['<m>]] > ]>]]&gt;</m>', 'read'],
  ["<m xml:lang='de'/>", 'read'],
  ["<db:result/><stream:error/><p:m xmlns:p='urn:p'/>", 'read'],
  // RFC 6120 §11.1.
  ['<!-- c -->', 'restricted-xml'],
  ['<m><!-- c --></m>', 'restricted-xml'],
  ['<message><!-- x ]]><body>EVIL</body> --></message>', 'restricted-xml'],
  ['<?pi?>', 'restricted-xml'],
  ['<m><?pi x?></m>', 'restricted-xml'],
  ["<?xml version='1.0'?>", 'restricted-xml'],
  ['<!DOCTYPE x>', 'restricted-xml'],
  ['<!DOCTYPE a [<!ENTITY e "x">]>', 'restricted-xml'],
  ['<m>&foo;</m>', 'restricted-xml'],
  ['<m a="&foo;"/>', 'restricted-xml'],
  ['<m>&AMP;</m>', 'restricted-xml'],
  // References.
  ['<m>&#0;</m>', 'not-well-formed'],
  ['<m>&#x1F;</m>', 'not-well-formed'],
  ['<m>&#xD800;</m>', 'not-well-formed'],
  ['<m>&#xFFFE;</m>', 'not-well-formed'],
  ['<m>&#x110000;</m>', 'not-well-formed'],
  [`<m>&#${'9'.repeat(400)};</m>`, 'not-well-formed'],
  ['<m>&#X41;</m>', 'not-well-formed'],
  ['<m>&#65abc;</m>', 'not-well-formed'],
  ['<m>&#;</m>', 'not-well-formed'],
  ['<m>&;</m>', 'not-well-formed'],
  ['<m>&1;</m>', 'not-well-formed'],
  ['<m>a & b</m>', 'not-well-formed'],
  ['<m>a &lt b</m>', 'not-well-formed'],
  ["<m a='&amp'/>", 'not-well-formed'],
  // Characters.
  ['<m>]]></m>', 'not-well-formed'],
  ['<m>\u0001</m>', 'not-well-formed'],
  ['<m>\0</m>', 'not-well-formed'],
  ['<m>\ufffe</m>', 'not-well-formed'],
  ['<m>\uffff</m>', 'not-well-formed'],
  ['<m a="\u0001"/>', 'not-well-formed'],
  ['<m><![CDATA[\u000b]]></m>', 'not-well-formed'],
  ['<m>\u007f\u0085\ufffd</m>', 'read'],
  // Tags.
  ['<mes!sage>', 'not-well-formed'],
  ['<mes?sage>', 'not-well-formed'],
  ['<mess\u0001age/>', 'not-well-formed'],
  ['< message/>', 'not-well-formed'],
  ['<>', 'not-well-formed'],
  ['</>', 'not-well-formed'],
  ['<message <body>', 'not-well-formed'],
  ['<1m/>', 'not-well-formed'],
  ['<-m/>', 'not-well-formed'],
  ['<m a=b c="d"/>', 'not-well-formed'],
  ['<m a b="1"/>', 'not-well-formed'],
  ['<m a="1"b="2"/>', 'not-well-formed'],
  ["<m a='<'/>", 'not-well-formed'],
  ['<m / a="1"/>', 'not-well-formed'],
  ['<m / >', 'not-well-formed'],
  ['<m/a="1">x</m>', 'not-well-formed'],
  ['<m></m a="1">', 'not-well-formed'],
  ['<a></b/>', 'not-well-formed'],
  ['<b></a>', 'not-well-formed'],
  ['<a></ab>', 'not-well-formed'],
  ['<ab></a>', 'not-well-formed'],
  ['<a></ a>', 'not-well-formed'],
  ['<m a="1" a="2"/>', 'not-well-formed'],
  ['<m =""/>', 'not-well-formed'],
  ['<!ELEMENT a>', 'not-well-formed'],
  ['<m><![CDATX[x]]></m>', 'not-well-formed'],
  ["<message to='x' a></message></stream:stream><q='1'/>", 'not-well-formed'],
  // Namespaces.
  ["<foo:m x:y=''/>", 'bad-namespace-prefix'],
  ["<m x:y=''/>", 'bad-namespace-prefix'],
  ['<a:b:c/>', 'bad-namespace-prefix'],
  ['<:a/>', 'bad-namespace-prefix'],
  ['<db:/>', 'bad-namespace-prefix'],
  ['<xmlns:a/>', 'bad-namespace-prefix'],
  ["<p:a xmlns:p='urn:p'/><p:a/>", 'bad-namespace-prefix'],
  ["<a><p:b xmlns:p='urn:p'/><p:b/></a>", 'bad-namespace-prefix'],
  ['<db:1a/>', 'not-well-formed'],
  ["<m db:1a=''/>", 'not-well-formed'],
  ["<m xmlns:p=''/>", 'not-well-formed'],
  ["<m xmlns:xml='urn:p'/>", 'not-well-formed'],
  ["<m xmlns:p='http://www.w3.org/XML/1998/namespace'/>", 'not-well-formed'],
  ["<m xmlns='http://www.w3.org/2000/xmlns/'/>", 'not-well-formed'],
  ["<m><n xmlns='http://www.w3.org/2000/xmlns&#47;'/></m>", 'not-well-formed'],
  ["<m xmlns:xmlns='urn:p'/>", 'not-well-formed'],
  ["<m xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", 'read'],
  ["<m xmlns:p='urn:p' xmlns:q='urn:p' p:a='' q:a=''/>", 'not-well-formed'],
  ["<m xmlns:p='urn:p' xmlns:q='urn:q' p:a='' q:a='' a=''/>", 'read'],
  // What is no element.
  ['x', 'bad-format'],
  ['\u00e9', 'bad-format'],
  ['&#32;', 'bad-format'],
  ['<![CDATA[ ]]>', 'bad-format'],
  ['\u0001', 'not-well-formed'],
]

const prologs: readonly (readonly [prolog: string | Buffer, outcome: string])[] = [
  ['', 'read'],
  ["<?xml version='1.0'?>", 'read'],
  ['<?xml\tversion = "1.0" encoding=\'utf-8\' standalone="no" ?>\r\n ', 'read'],
  ["\ufeff<?xml version='1.0' encoding='UTF-8'?>", 'read'],
  [' \n', 'read'],
  ['\ufeff\n', 'read'],
  ['\ufeff\ufeff', 'not-well-formed'],
  ["\ufeff\n<?xml version='1.0'?>", 'restricted-xml'],
  ["\n<?xml version='1.0'?>", 'restricted-xml'],
  ["<?xml version='1.0'?><?xml version='1.0'?>", 'restricted-xml'],
  ['<?xml-stylesheet href="a"?>', 'restricted-xml'],
  ['<?pi?>', 'restricted-xml'],
  ['<!-- c -->', 'restricted-xml'],
  ['<!DOCTYPE a>', 'restricted-xml'],
  ["<?xml version='1.1'?>", 'not-well-formed'],
  ['<?xml version="1.0\'?>', 'not-well-formed'],
  ["<?xml encoding='UTF-8'?>", 'not-well-formed'],
  ["<?xml version='1.0' standalone='maybe'?>", 'not-well-formed'],
  ["<?xml version='1.0'>", 'not-well-formed'],
  ["<?xml version='1.0' encoding='ISO-8859-1'?>", 'unsupported-encoding'],
  ["<?xml version='1.0' encoding='UTF-16'?>", 'unsupported-encoding'],
  [Buffer.from('\ufeff<?xml', 'utf16le'), 'unsupported-encoding'],
  [Buffer.from('<?xml', 'utf16le'), 'unsupported-encoding'],
  [Buffer.from([0xfe, 0xff, 0x00, 0x3c]), 'unsupported-encoding'],
  [Buffer.from([0x00, 0x3c, 0x00, 0x3f]), 'unsupported-encoding'],
  [Buffer.from([0xef, 0xbb, 0x41]), 'not-well-formed'],
  ['GET / HTTP/1.1\r\n', 'not-well-formed'],
  ['\u00e9', 'not-well-formed'],
  ['<![CDATA[]]>', 'not-well-formed'],
  ['</a>', 'not-well-formed'],
]

const notUtf8: readonly (readonly number[])[] = [
  [0x80],
  [0xbf],
  [0xff],
  [0xfe],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc2, 0x20],
  [0xe0, 0x9f, 0xbf],
  [0xe2, 0x82, 0x20],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf0, 0x9f, 0x98, 0x20],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xe2, 0xc3, 0xa9],
  [0xc3, 0xa9, 0xa9],
]

/** The end of the transcript; the same for every way to cut the bytes, or the test fails. */
function outcome(bytes: Buffer): string {
  const whole = transcript([bytes])
  for (let at = 1; at < bytes.length; at++)
    expect(transcript(inTwo(bytes, at)), `split at ${at}`).toEqual(whole)
  for (let size = 1; size < bytes.length; size++)
    expect(transcript(inChunks(bytes, size)), `by ${size}`).toEqual(whole)
  const last = whole.at(-1)
  return last?.startsWith('fault ') ? last.slice('fault '.length) : last === 'end' ? 'read' : 'unfinished'
}

describe('A reader, however the bytes are cut,', () => {
  test.each(content)('ends %j between elements: %s', (bytes, expected) => {
    expect(outcome(Buffer.from(`${header}${bytes}</stream:stream>`))).toBe(expected)
  })

  test.each(prologs)('ends %j before the header: %s', (prolog, expected) => {
    expect(outcome(Buffer.concat([Buffer.from(prolog), Buffer.from(`${header}<m/></stream:stream>`)]))).toBe(
      expected,
    )
  })

  test.each(notUtf8)('refuses what is not UTF-8: %j, %j, %j, %j', (...invalid) => {
    for (const [before, behind] of [
      ['<m>', '</m>'],
      ['<m a="', '"/>'],
      ['<m', '/>'],
      ['<m><![CDATA[', ']]></m>'],
    ]) {
      const document = [header + before, Buffer.from(invalid), `${behind}</stream:stream>`].map(part =>
        Buffer.from(part),
      )
      expect(outcome(Buffer.concat(document))).toBe('not-well-formed')
    }
  })

  test('reads the header, the elements and the end', () => {
    const bytes = Buffer.from(
      `<?xml version='1.0'?>${header}<message to='a' from='b'/> <iq id="1">x</iq></stream:stream>more`,
    )
    expect(outcome(Buffer.from(bytes.subarray(0, -4)))).toBe('read')
    expect(transcript([bytes])).toEqual([
      `header ${JSON.stringify([
        'stream',
        streams,
        [],
        [
          ['', 'jabber:server'],
          ['stream', streams],
          ['db', 'jabber:server:dialback'],
        ],
      ])}`,
      `element ${JSON.stringify(['message', 'jabber:server', 'b', 'a', null, null, true, "<message to='a' from='b'/>"])}`,
      `element ${JSON.stringify(['iq', 'jabber:server', null, null, null, '1', true, '<iq id="1">x</iq>'])}`,
      'end',
    ])
  })

  test('takes an empty root for a header and an end', () => {
    expect(transcript(inChunks(Buffer.from('<a/>x'), 1))).toEqual(['header ["a","",[],[]]', 'end'])
  })
})
