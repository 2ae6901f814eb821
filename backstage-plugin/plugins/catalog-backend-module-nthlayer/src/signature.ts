import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

/**
 * Signatures as Standard Webhooks say: `v1,<base64>` of the HMAC of `<id>.<seconds>.<body>`.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

/** Seconds that a signed time may lie before or after our clock. */
const WINDOW = 300;
/** Signatures of one delivery that are looked at: there are several while a secret is replaced by another. */
const MOST = 8;
/** Bytes that a secret has at least. */
const SHORTEST = 16;

export type Headers = Record<string, string | string[] | undefined>;

/** The keys in the text of the config: one secret, or several with blanks between them. */
export function keysOf(secret: string): Buffer[] {
  const keys = secret
    .split(/\s+/)
    .filter(Boolean)
    .map(each => Buffer.from(each.replace(/^whsec_/, ''), 'base64'));
  if (!keys.length || keys.some(key => key.length < SHORTEST)) {
    throw new Error(
      'nthlayer.webhook.secret has to be `whsec_` and at least 16 bytes in base64, better 32',
    );
  }
  return keys;
}

/** The headers that go with a body, signed with the first key; `id` is the same when it is sent again. */
export function signed(
  keys: readonly Buffer[],
  body: string,
  id: string = randomUUID(),
  now: number = Date.now(),
): Record<string, string> {
  const time = String(Math.floor(now / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': time,
    'webhook-signature': `v1,${mac(keys[0], id, time, body).toString('base64')}`,
  };
}

/** Whether a body was signed with one of the keys, lately. All are compared, so that it takes as long wherever one fits. */
export function isSigned(
  keys: readonly Buffer[],
  headers: Headers,
  body: Buffer,
  now: number = Date.now(),
): boolean {
  const id = headers['webhook-id'];
  const time = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (
    typeof id !== 'string' ||
    typeof time !== 'string' ||
    typeof signatures !== 'string' ||
    !/^[!-\-/-~]{1,256}$/.test(id) ||
    !/^\d{1,12}$/.test(time) ||
    Math.abs(Number(time) - now / 1000) > WINDOW
  ) {
    return false;
  }
  const given = signatures
    .split(' ', MOST)
    .filter(each => each.startsWith('v1,'))
    .map(each => Buffer.from(each.slice(3), 'base64'));
  let fits = 0;
  for (const key of keys) {
    const wanted = mac(key, id, time, body);
    for (const each of given) {
      fits += Number(
        each.length === wanted.length && timingSafeEqual(each, wanted),
      );
    }
  }
  return fits > 0;
}

function mac(key: Buffer, id: string, time: string, body: string | Buffer) {
  return createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest();
}
