// google.protobuf.Timestamp as a `Date`, for generated code that asks for it. A Date counts milliseconds: what a timestamp
// has beyond them is cut when it is read.
import { defineMessage, type MessageCodec } from './message.ts'
import { refusal } from './message-refusal.ts'

const SECONDS_TAG = 8
const NANOS_TAG = 16
const DATE_MAX_MS = 8.64e15
/** A Date takes as much memory as a message with so many fields. */
const DATE_FIELDS = 5

/** Takes and gives Dates. An invalid Date is a RangeError, as is a timestamp that no Date can be. */
export const TimestampDate: MessageCodec<Date, Date> = defineMessage({
  typeName: 'google.protobuf.Timestamp',
  write(date, writer) {
    const time = date instanceof Date ? date.getTime() : undefined
    if (time === undefined || Number.isNaN(time)) throw refusal('google.protobuf.Timestamp', 'date', date)
    const seconds = Math.floor(time / 1000)
    const nanos = (time - seconds * 1000) * 1_000_000
    if (seconds !== 0) writer.writeInt64(SECONDS_TAG, seconds, 'google.protobuf.Timestamp.seconds')
    if (nanos !== 0) writer.writeInt32(NANOS_TAG, nanos, 'google.protobuf.Timestamp.nanos')
  },
  read(reader, end, previous) {
    let seconds = previous === undefined ? 0 : Math.floor(previous.getTime() / 1000)
    let millis = previous === undefined ? 0 : previous.getTime() - seconds * 1000
    while (reader.pos < end) {
      const tag = reader.tag()
      switch (tag) {
        case SECONDS_TAG:
          seconds = Number(reader.readInt64())
          break
        case NANOS_TAG:
          millis = Math.floor(reader.int32() / 1_000_000)
          break
        default:
          end = reader.skipField(tag, end)
      }
    }
    reader.finish(end, DATE_FIELDS)
    const time = seconds * 1000 + millis
    if (Math.abs(time) > DATE_MAX_MS) throw new RangeError(`google.protobuf.Timestamp: ${seconds} s are no Date`)
    return new Date(time)
  },
})
