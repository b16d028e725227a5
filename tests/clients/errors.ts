/** What is refused, as the client shows it: by API Gateway, by a function, and because imin fails. */

import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {test} from 'node:test';

import {AccountsApi, Configuration, FetchError, GatewayMessageFromJSON, LinksApi} from '#seller-accounts';
import {API_URL, problem, refusal, signIn} from './app.js';

const customerIdentifier = 'me';
const rosie = await signIn('rosie');

test('a token that is not good is refused by API Gateway', async () => {
  const stranger = new AccountsApi(new Configuration({basePath: API_URL, accessToken: 'a.b.c'}));

  const response = await refusal(stranger.getAccounts({customerIdentifier}));

  assert.equal(response.status, 401);
  assert.match(response.headers.get('WWW-Authenticate') ?? '', /^Bearer/);
  assert.equal(GatewayMessageFromJSON(await response.json()).message, 'Unauthorized');
});

test("another customer's accounts are forbidden", async () => {
  const {problem: refused} = await problem(new AccountsApi(rosie).getAccounts({customerIdentifier: 'member'}));

  assert.deepEqual([refused.status, refused.code, refused.retryable], [403, 'forbidden', false]);
  assert.equal(refused.type, 'urn:seller-accounts:problem:forbidden');
  assert.ok(refused.requestId);
});

test('a redirect URI that was not agreed is refused', async () => {
  const redirectUri = 'https://elsewhere.example.com/';

  const {problem: refused} = await problem(new AccountsApi(rosie).getAccounts({customerIdentifier, redirectUri}));

  assert.deepEqual([refused.status, refused.code, refused.retryable], [400, 'redirect_uri_not_allowed', false]);
});

test('a link to which nobody came back is not found', async () => {
  const {problem: refused} = await problem(new LinksApi(rosie).getLink({customerIdentifier, linkId: randomUUID()}));

  assert.deepEqual([refused.status, refused.code, refused.retryable], [404, 'link_not_found', false]);
});

for (const [customer, status, code, retryAfter] of [
  ['broken', 502, 'upstream_invalid_response', null],
  ['busy', 503, 'upstream_unavailable', '30'],
  ['slow', 504, 'upstream_timeout', null],
] as const) {
  test(`while imin fails for ${customer}, the app is told ${status} and what to do`, async () => {
    const api = new AccountsApi(await signIn(customer));

    const {headers, problem: refused} = await problem(api.getAccounts({customerIdentifier}));

    assert.deepEqual([refused.status, refused.code, refused.retryable], [status, code, true]);
    assert.equal(headers.get('Retry-After'), retryAfter);
  });
}

test('where nothing answers, the error says so', async () => {
  const nowhere = new AccountsApi(new Configuration({basePath: 'http://127.0.0.1:9'}));

  await assert.rejects(nowhere.getAccounts({customerIdentifier}), FetchError);
});
