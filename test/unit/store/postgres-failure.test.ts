import { describe, expect, test } from 'vitest'
import { SweepmillError } from '../../../src/base/errors.js'
import { asOurs, isDataError, isUnanswered } from '../../../src/store/postgres-failure.js'

const said = (code: string): Error => Object.assign(new Error('words of Postgres'), { code })

describe('what somebody else can mend is transient', () => {
  test.each([
    '57P01', '57P02', '57P03', '57014', '53000', '53100', '53200', '53300', '53400', '25006', '25P03', '08000', '08006', '08P01', '40001', '40P01',
    '55P03', '28000', '28P01', '3D000', '42501', '58000', '58030', '58P01', 'XX000', 'XX001',
  ])('SQLSTATE %s', (code) => {
    const error = asOurs(said(code))
    expect(error).toMatchObject({ code: 'POSTGRES_UNAVAILABLE', retryable: true, httpStatus: 503, details: { sqlstate: code } })
    expect(error.message).toMatch(/^[A-Z].*words of Postgres\.$/)
    expect(isUnanswered(error)).toBe(false)
  })

  test.each([
    'Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Query read timeout', 'Cannot use a pool after calling end on the pool',
  ])('%s', (message) => {
    const error = asOurs(new Error(message))
    expect(error).toMatchObject({ code: 'POSTGRES_UNAVAILABLE', message: expect.stringContaining(message) as string })
    expect(isUnanswered(error)).toBe(true)
  })

  test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'])('a socket that says %s', (code) => {
    expect(asOurs(Object.assign(new Error(code), { code }))).toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
  })

  test('a name of several addresses, none of which answers, has words', () => {
    const error = asOurs(new AggregateError([new Error('connect ECONNREFUSED ::1:5432'), new Error('connect ECONNREFUSED 127.0.0.1:5432')], ''))
    expect(error.message).toContain('connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127.0.0.1:5432')
  })
})

test.each(['22P02', '22008', '23502', '42601', '42703', '54000', '0A000'])('SQLSTATE %s is a defect of ours', (code) => {
  expect(asOurs(said(code))).toMatchObject({ code: 'INVARIANT', details: { sqlstate: code } })
})

test('an error of ours stays, and its data errors are known through it', () => {
  const own = new SweepmillError('STATE_CONFLICT', 'as it is')
  expect(asOurs(own)).toBe(own)
  expect([isDataError(said('22008')), isDataError(asOurs(said('23505'))), isDataError(asOurs(said('57P01')))]).toEqual([true, true, false])
})
