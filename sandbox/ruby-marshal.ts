/** A value that Ruby's Marshal can carry: plain ones, objects that bring their own form along, and the empty hash. */
export type RubyValue =
  | null
  | boolean
  | number
  | string
  | readonly RubyValue[]
  | {readonly className: string; readonly state: RubyValue}
  | {readonly className: string; readonly dumped: Buffer}
  | Readonly<Record<string, never>>

/** An object of a class with `marshal_dump`, which returned `state`. */
export function instance(className: string, state: RubyValue): RubyValue {
  return {className, state}
}

/** A value as `Marshal.dump` writes it, format 4.8 (https://docs.ruby-lang.org/en/3.1/marshal_rdoc.html). */
export function marshal(value: RubyValue): Buffer {
  return Buffer.concat([Buffer.of(4, 8), encode(value)])
}

function encode(value: RubyValue): Buffer {
  if (value === null) return Buffer.from('0')
  if (value === true) return Buffer.from('T')
  if (value === false) return Buffer.from('F')
  if (typeof value === 'number') return Buffer.concat([Buffer.from('i'), integer(value)])
  if (typeof value === 'string') {
    // An instance variable of its own says that it is UTF-8.
    return Buffer.concat([Buffer.from('I"'), bytes(value), integer(1), symbol('E'), Buffer.from('T')])
  }
  if (isList(value)) return Buffer.concat([Buffer.from('['), integer(value.length), ...value.map(encode)])
  if ('state' in value) return Buffer.concat([Buffer.from('U'), symbol(value.className), encode(value.state)])
  if ('dumped' in value) return Buffer.concat([Buffer.from('u'), symbol(value.className), bytes(value.dumped)])
  return Buffer.concat([Buffer.from('{'), integer(0)])
}

function isList(value: RubyValue): value is readonly RubyValue[] {
  return Array.isArray(value)
}

function symbol(name: string): Buffer {
  return Buffer.concat([Buffer.from(':'), bytes(name)])
}

function bytes(content: string | Buffer): Buffer {
  const buffer = Buffer.from(content)
  return Buffer.concat([integer(buffer.length), buffer])
}

/** Zero or a positive number below 2^24. */
function integer(value: number): Buffer {
  if (value === 0) return Buffer.of(0)
  if (value < 123) return Buffer.of(value + 5)
  const digits: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) digits.push(rest % 256)
  return Buffer.of(digits.length, ...digits)
}
