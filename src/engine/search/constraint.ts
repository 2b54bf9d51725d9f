/**
 * The constraint language of a sweep: a condition over parameters, such as `fast < slow && slow % 5 == 0`.
 *
 *   or:  and (('||' | 'or') and)*        and:  not (('&&' | 'and') not)*        not: ('!' | 'not') not | comparison
 *   comparison: sum [('<' | '<=' | '>' | '>=' | '==' | '!=') sum]               sum: product (('+' | '-') product)*
 *   product: sign (('*' | '/' | '%') sign)*      sign: '-' sign | number | parameter | '(' or ')'
 *
 * Numbers are decimals that doubles come close to, so what differs by rounding alone is equal: 0.1 + 0.2 == 0.3 holds,
 * 0.3 % 0.1 is 0, and 0.1 + 0.7 < 0.8 is false. Each value carries the size of what it was made of and how many numbers
 * those were; both sides of a comparison are equal within 2 units in the last place of that size for each of them.
 * Decimals of 15 digits, and whole numbers, are always told apart.
 *
 * Its own parser, so that a spec from a stranger can never run code. Numbers and conditions do not mix. Every
 * error is CONSTRAINT_INVALID with the position (from 0) and, for a name, the known ones.
 */
import { SweepmillError } from '../../base/errors.js'
import { nearest } from '../specs/nearest.js'
import type { Params } from '../strategies/strategy.js'

type Kind = 'number' | 'condition'

interface Node {
  readonly kind: Kind
  readonly at: number
  /** Numbers and operators within. */
  readonly weight: number
  /** A condition's value is 1 or 0. A number's leaves its size in `size`. */
  readonly value: (params: Params) => number
}

interface Token {
  readonly text: string
  readonly at: number
}

const MAX_DEPTH = 100
const TOKEN = /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(&&|\|\||<=|>=|===|!==|==|!=|[<>+\-*/%()!=]))/y

const COMPARE: Readonly<Record<string, (a: number, b: number, isSame: boolean) => boolean>> = {
  '<': (a, b, same) => a < b && !same, '<=': (a, b, same) => a <= b || same, '>': (a, b, same) => a > b && !same,
  '>=': (a, b, same) => a >= b || same, '==': (_a, _b, same) => same, '!=': (_a, _b, same) => !same,
}

/** Two units in the last place of 1. */
const ROUNDING = 2 ** -51
/** How large were the numbers of which the last value was made: its error is in proportion. A second result, without an object for each. */
let size = 0

/** What both sides make; leaves its own size. */
type Compute = (a: number, b: number, sizeA: number, sizeB: number, weight: number) => number

const COMPUTE: Readonly<Record<string, Compute>> = {
  '+': (a, b, sizeA, sizeB) => {
    size = Math.max(sizeA, sizeB)
    return a + b
  },
  '-': (a, b, sizeA, sizeB) => {
    size = Math.max(sizeA, sizeB)
    return a - b
  },
  '*': (a, b, sizeA, sizeB) => {
    size = Math.max(sizeA * Math.abs(b), Math.abs(a) * sizeB)
    return a * b
  },
  '/': (a, b, sizeA, sizeB) => {
    size = Math.max(sizeA, Math.abs(a / b) * sizeB) / Math.abs(b)
    return a / b
  },
  '%': remainder,
}

/** 0 where a is a multiple of b but for rounding; whole numbers have no rounding. */
function remainder(a: number, b: number, sizeA: number, sizeB: number, weight: number): number {
  const times = Math.abs(a / b)
  size = Math.max(sizeA, times * sizeB)
  if (Number.isInteger(a) && Number.isInteger(b)) return a % b
  return Math.abs(times - Math.round(times)) * Math.abs(b) <= weight * ROUNDING * size ? 0 : a % b
}

function isSame(a: number, b: number, sizeA: number, sizeB: number, weight: number): boolean {
  if (a === b) return true
  if (Number.isInteger(a) && Number.isInteger(b)) return false
  const allowed = weight * ROUNDING * Math.max(sizeA, sizeB)
  return allowed < Infinity && Math.abs(a - b) <= allowed
}

/** Compiles the text to a predicate; `names` are all parameters that it may use. */
export function compileConstraint(text: string, names: readonly string[]): (params: Params) => boolean {
  const node = new Parser(text, names).parse()
  return (params) => node.value(params) !== 0
}

class Parser {
  private readonly text: string
  private readonly names: readonly string[]
  private readonly tokens: Token[]
  private position = 0
  private depth = 0

  constructor(text: string, names: readonly string[]) {
    this.text = text
    this.names = names
    this.tokens = this.tokenise()
  }

  parse(): Node {
    if (this.tokens.length === 0) throw this.error(0, 'it is empty')
    const node = this.or()
    const rest = this.peek()
    if (rest !== undefined) throw this.error(rest.at, `"${rest.text}" is not expected here`)
    if (node.kind !== 'condition') throw this.error(node.at, 'it is a number, but must be a condition such as "fast < slow"')
    return node
  }

  private tokenise(): Token[] {
    const tokens: Token[] = []
    let at = 0
    while (at < this.text.trimEnd().length) {
      TOKEN.lastIndex = at
      const match = TOKEN.exec(this.text)
      if (match === null) {
        const bad = at + (/^\s*/.exec(this.text.slice(at))?.[0].length ?? 0)
        throw this.error(bad, `"${this.text[bad] ?? ''}" is not part of the language (numbers, parameters, + - * / %, < <= > >= == !=, && || !, parentheses)`)
      }
      const text = match[0].trimStart()
      at = TOKEN.lastIndex
      if (text === '=') throw this.error(at - 1, 'a single "=" is not a comparison; write "=="')
      const words: Record<string, string> = { and: '&&', or: '||', not: '!', '===': '==', '!==': '!=' }
      tokens.push({ text: Object.hasOwn(words, text) ? words[text] ?? text : text, at: at - text.length })
    }
    return tokens
  }

  private or(): Node {
    return this.logical('||', () => this.and(), (a, b) => (a !== 0 || b !== 0 ? 1 : 0))
  }

  private and(): Node {
    return this.logical('&&', () => this.not(), (a, b) => (a !== 0 && b !== 0 ? 1 : 0))
  }

  private logical(operator: string, next: () => Node, join: (a: number, b: number) => number): Node {
    let left = next()
    while (this.peek()?.text === operator) {
      this.position++
      const [a, b] = [left, next()]
      for (const side of [a, b]) this.require(side, 'condition', operator)
      left = { kind: 'condition', at: a.at, weight: 0, value: (params) => join(a.value(params), b.value(params)) }
    }
    return left
  }

  private not(): Node {
    const token = this.peek()
    if (token?.text !== '!') return this.comparison()
    this.position++
    const inner = this.deeper(token.at, () => this.not())
    this.require(inner, 'condition', '!')
    return { kind: 'condition', at: token.at, weight: 0, value: (params) => (inner.value(params) === 0 ? 1 : 0) }
  }

  private comparison(): Node {
    const left = this.sum()
    const token = this.peek()
    const compare = token === undefined ? undefined : COMPARE[token.text]
    if (token === undefined || compare === undefined) return left
    this.position++
    const right = this.sum()
    for (const side of [left, right]) this.require(side, 'number', token.text)
    const again = this.peek()
    if (again !== undefined && COMPARE[again.text] !== undefined) throw this.error(again.at, 'comparisons do not chain; write "a < b && b < c"')
    const weight = left.weight + right.weight
    const value = (params: Params): number => {
      const a = left.value(params)
      const sizeA = size
      const b = right.value(params)
      return compare(a, b, isSame(a, b, sizeA, size, weight)) ? 1 : 0
    }
    return { kind: 'condition', at: left.at, weight: 0, value }
  }

  private sum(): Node {
    return this.arithmetic(['+', '-'], () => this.product())
  }

  private product(): Node {
    return this.arithmetic(['*', '/', '%'], () => this.sign())
  }

  private arithmetic(operators: readonly string[], next: () => Node): Node {
    let left = next()
    for (let token = this.peek(); token !== undefined && operators.includes(token.text); token = this.peek()) {
      this.position++
      const [a, b, compute] = [left, next(), COMPUTE[token.text]]
      if (compute === undefined) throw this.error(token.at, `"${token.text}" is not known`)
      for (const side of [a, b]) this.require(side, 'number', token.text)
      const weight = a.weight + b.weight + 1
      const value = (params: Params): number => {
        const first = a.value(params)
        const sizeA = size
        const second = b.value(params)
        return compute(first, second, sizeA, size, weight)
      }
      left = { kind: 'number', at: a.at, weight, value }
    }
    return left
  }

  private sign(): Node {
    const token = this.peek()
    if (token === undefined) throw this.error(this.text.length, 'it ends where a number, a parameter or "(" is expected')
    this.position++
    if (token.text === '-') {
      const inner = this.deeper(token.at, () => this.sign())
      this.require(inner, 'number', '-')
      return { kind: 'number', at: token.at, weight: inner.weight, value: (params) => -inner.value(params) }
    }
    if (token.text === '(') {
      const inner = this.deeper(token.at, () => this.or())
      if (this.peek()?.text !== ')') throw this.error(this.peek()?.at ?? this.text.length, 'a ")" is missing')
      this.position++
      return { ...inner, at: token.at }
    }
    if (/^[\d.]/.test(token.text)) {
      const number = Number(token.text)
      return this.leaf(token, () => number)
    }
    if (/^[A-Za-z_]/.test(token.text)) return this.parameter(token)
    throw this.error(token.at, `"${token.text}" is not expected here; a number, a parameter or "(" is`)
  }

  private parameter(token: Token): Node {
    const name = token.text
    if (!this.names.includes(name)) {
      const guess = nearest(name, this.names)
      throw this.error(token.at, `"${name}" is not a parameter${guess === undefined ? '' : `, did you mean "${guess}"`} (known: ${this.names.join(', ') || 'none'})`)
    }
    return this.leaf(token, (params) => params[name] ?? NaN)
  }

  private leaf({ at }: Token, of: (params: Params) => number): Node {
    const value = (params: Params): number => {
      const number = of(params)
      size = Math.abs(number)
      return number
    }
    return { kind: 'number', at, weight: 1, value }
  }

  private deeper(at: number, parse: () => Node): Node {
    if (++this.depth > MAX_DEPTH) throw this.error(at, `it nests more than ${MAX_DEPTH} levels deep`)
    const node = parse()
    this.depth--
    return node
  }

  private require(node: Node, kind: Kind, operator: string): void {
    if (node.kind === kind) return
    throw this.error(node.at, kind === 'number'
      ? `"${operator}" takes numbers, but one side is a condition`
      : `"${operator}" takes conditions such as "fast < slow", but one side is a number`)
  }

  private peek(): Token | undefined {
    return this.tokens[this.position]
  }

  private error(at: number, message: string): SweepmillError {
    return new SweepmillError('CONSTRAINT_INVALID', `The constraint "${this.text}" cannot be read at position ${at}: ${message}.`,
      { details: { constraint: this.text, position: at, known: this.names } })
  }
}
