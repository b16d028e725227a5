/** What an app has around the client: where the API is, a customer who is signed in, and a look at what was refused. No tests. */

import {Configuration, ProblemFromJSON, ResponseError, type Problem} from '#seller-accounts';

export const API_URL = setting('API_URL');
export const IMIN_URL = setting('IMIN_URL');

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** The client's configuration for `customer`, with a token of the local stack. */
export async function signIn(customer: string): Promise<Configuration> {
  const body = JSON.stringify({customerIdentifier: customer});
  const response = await fetch(`${API_URL}/local/token`, {method: 'POST', body});
  const {accessToken} = (await response.json()) as {accessToken: string};
  return new Configuration({basePath: API_URL, accessToken});
}

/** The answer by which a call is refused, or 304; throws where it is not. */
export async function refusal(call: Promise<unknown>): Promise<Response> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ResponseError) return error.response;
    throw error;
  }
  throw new Error('the call was not refused');
}

/** The problem by which a function refuses a call, and its headers. */
export async function problem(call: Promise<unknown>): Promise<{headers: Headers; problem: Problem}> {
  const response = await refusal(call);
  return {headers: response.headers, problem: ProblemFromJSON(await response.json())};
}

/** Sends a form as a browser does, and gives where it is sent on to. */
export async function submit(url: string, fields: Record<string, string>): Promise<string> {
  const response = await fetch(url, {method: 'POST', body: new URLSearchParams(fields), redirect: 'manual'});
  return response.headers.get('Location') ?? '';
}
