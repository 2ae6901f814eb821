import { describe, expect, it } from 'vitest';
import { isSigned, keysOf, signed } from './signature';

// From the test vectors of the Standard Webhooks libraries.
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const TIME = 1614265330;
const BODY = '{"test": 2432232314}';
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

const NEW = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

describe('signatures', () => {
  const headers = signed(keysOf(SECRET), BODY, ID, TIME * 1000);
  const body = Buffer.from(BODY);

  it('are those of Standard Webhooks', () => {
    expect(headers['webhook-signature']).toBe(SIGNATURE);
  });

  it.each([-299, 0, 299])('hold %i s later', later => {
    const now = (TIME + later) * 1000;
    expect(isSigned(keysOf(SECRET), headers, body, now)).toBe(true);
  });

  it.each([-301, 301])('do not hold %i s later', later => {
    const now = (TIME + later) * 1000;
    expect(isSigned(keysOf(SECRET), headers, body, now)).toBe(false);
  });

  it('hold while one secret is replaced by another', () => {
    const keys = keysOf(`${NEW} ${SECRET}`);
    expect(isSigned(keys, headers, body, TIME * 1000)).toBe(true);
    expect(isSigned(keysOf(NEW), headers, body, TIME * 1000)).toBe(false);
    const both = `v1,AAAA v2,x ${SIGNATURE}`;
    const several = { ...headers, 'webhook-signature': both };
    expect(isSigned(keys, several, body, TIME * 1000)).toBe(true);
  });

  it.each([
    ['another body', headers, '{"test": 1}'],
    ['another id', { ...headers, 'webhook-id': 'x' }, BODY],
    ['another time', { ...headers, 'webhook-timestamp': `${TIME + 1}` }, BODY],
    ['a time that is none', { ...headers, 'webhook-timestamp': 'NaN' }, BODY],
    ['an id with a full stop', { ...headers, 'webhook-id': 'a.b' }, BODY],
    ['no signature', { ...headers, 'webhook-signature': undefined }, BODY],
    ['a list of them', { ...headers, 'webhook-signature': ['v1,x'] }, BODY],
    ['no header at all', {}, BODY],
  ])('do not fit %s', (_, given, text) => {
    const keys = keysOf(SECRET);
    expect(isSigned(keys, given, Buffer.from(text), TIME * 1000)).toBe(false);
  });

  it.each(['', '  ', 'short', 'whsec_AAAA'])('need a key: %s', secret => {
    expect(() => keysOf(secret)).toThrow('nthlayer.webhook.secret');
  });
});
