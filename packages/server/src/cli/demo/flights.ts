import { DAY_MS, FAULT, NAME } from './context.ts';

/** The model's inputs as SQL over the file's columns (examples/flight-delays/README.md). */
export const FEATURE_SQL = `CAST(extract('hour' FROM "date") AS BIGINT) AS dep_hour, CAST(extract('isodow' FROM "date") AS BIGINT) AS day_of_week, CAST(distance AS DOUBLE) AS distance, origin, destination`;

export interface Flight {
  /** Departure, ms since the epoch. */
  time: number;
  dep_hour: number;
  day_of_week: number;
  /** Miles. */
  distance: number;
  origin: string;
  destination: string;
  /** The label: 1 when it arrived 15 minutes late or more. */
  late: 0 | 1;
}

/** One live request: flights of the same hour. Its id is made of its place in the data, so a second replay would make the same ones. */
export interface LiveRequest {
  id: string;
  /** The event time of the request: the first departure in it. */
  time: number;
  flights: Flight[];
  protocol: 'invocations' | 'open-inference';
}

export const PER_REQUEST = 32;
const HOUR_MS = 3_600_000;

/**
 * Flights in the order of departure, asked about in groups of up to `PER_REQUEST` of the same hour, the hour's first flight alone: as a service
 * that asks at every departure and one that collects them would. `flights` may come in any order; ties are broken by the row's content.
 */
export function toRequests(flights: Flight[]): LiveRequest[] {
  const sorted = flights.toSorted((a, b) => a.time - b.time || compare(a, b));
  const requests: LiveRequest[] = [];
  let hour = Number.NaN;
  let index = 0;
  for (const flight of sorted) {
    const own = Math.floor(flight.time / HOUR_MS);
    const last = requests.at(-1);
    if (own !== hour) {
      hour = own;
      index = 0;
      requests.push({ id: requestId(flight.time, index), time: flight.time, flights: [flight], protocol: 'open-inference' });
    } else if (last !== undefined && last.protocol === 'invocations' && last.flights.length < PER_REQUEST) last.flights.push(flight);
    else requests.push({ id: requestId(flight.time, ++index), time: flight.time, flights: [flight], protocol: 'invocations' });
  }
  return requests;
}

const requestId = (time: number, index: number): string => `demo-${new Date(time).toISOString().slice(0, 13).replace(/[-T]/g, '')}-${index}`;
const text = (f: Flight): string => `${f.origin} ${f.destination} ${f.distance} ${f.late}`;
const compare = (a: Flight, b: Flight): number => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0);

/** The distance as it reaches the endpoint: in kilometres during the simulated fault. */
export const sentDistance = (flight: Flight): number =>
  flight.time >= FAULT.from && flight.time < FAULT.to ? Math.round(flight.distance * FAULT.factor) : flight.distance;

/** Path and JSON body of a request, in either protocol that the endpoint speaks. */
export function encode(request: LiveRequest): { path: string; body: string } {
  const { flights } = request;
  if (request.protocol === 'invocations') {
    const data = flights.map((f) => [f.dep_hour, f.day_of_week, sentDistance(f), f.origin, f.destination]);
    return {
      path: `/endpoints/${NAME}/invocations`,
      body: JSON.stringify({ dataframe_split: { columns: ['dep_hour', 'day_of_week', 'distance', 'origin', 'destination'], data } }),
    };
  }
  const tensor = (name: string, datatype: string, data: unknown[]) => ({ name, datatype, shape: [flights.length, 1], data });
  const inputs = [
    tensor(
      'dep_hour',
      'INT64',
      flights.map((f) => f.dep_hour),
    ),
    tensor(
      'day_of_week',
      'INT64',
      flights.map((f) => f.day_of_week),
    ),
    tensor('distance', 'FP32', flights.map(sentDistance)),
    tensor(
      'origin',
      'BYTES',
      flights.map((f) => f.origin),
    ),
    tensor(
      'destination',
      'BYTES',
      flights.map((f) => f.destination),
    ),
  ];
  return { path: `/v2/models/${NAME}/infer`, body: JSON.stringify({ id: request.id, inputs }) };
}

/** The truth of a request's flights, known the day after departure. */
export const truth = (request: LiveRequest): { predictionId: string; label: number; labelTimestamp: number }[] =>
  request.flights.map((flight, i) => ({ predictionId: `${request.id}:${i}`, label: flight.late, labelTimestamp: flight.time + DAY_MS }));
