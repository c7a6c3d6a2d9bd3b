// The well-known types, as .proto files that can be imported without being there. What they are is fixed by protobuf;
// the other files of google/protobuf come with protobufjs.

const HEAD = 'syntax = "proto3";\n\npackage google.protobuf;\n'

const NUMBERS = [
  ['Double', 'double'],
  ['Float', 'float'],
  ['Int64', 'int64'],
  ['UInt64', 'uint64'],
  ['Int32', 'int32'],
  ['UInt32', 'uint32'],
  ['Bool', 'bool'],
  ['String', 'string'],
  ['Bytes', 'bytes'],
] as const

const WRAPPERS = NUMBERS.map(
  ([name, type]) => `
// A value of type ${type} that may be absent.
message ${name}Value {
  ${type} value = 1;
}
`,
).join('')

/** Text by import path. */
export const WELL_KNOWN: Readonly<Record<string, string>> = {
  'google/protobuf/any.proto': `${HEAD}
// Any message, with the name of its type.
message Any {
  // Ends with the full name of the type: type.googleapis.com/storage.State.
  string type_url = 1;
  // The encoded message.
  bytes value = 2;
}
`,
  'google/protobuf/duration.proto': `${HEAD}
// A span of time.
message Duration {
  int64 seconds = 1;
  // Of the same sign as the seconds, up to 999 999 999.
  int32 nanos = 2;
}
`,
  'google/protobuf/empty.proto': `${HEAD}
// Nothing.
message Empty {}
`,
  'google/protobuf/field_mask.proto': `${HEAD}
// A set of fields.
message FieldMask {
  repeated string paths = 1;
}
`,
  'google/protobuf/struct.proto': `${HEAD}
// A JSON object.
message Struct {
  map<string, Value> fields = 1;
}

// Any JSON value.
message Value {
  oneof kind {
    NullValue null_value = 1;
    double number_value = 2;
    string string_value = 3;
    bool bool_value = 4;
    Struct struct_value = 5;
    ListValue list_value = 6;
  }
}

// The null of JSON.
enum NullValue {
  NULL_VALUE = 0;
}

// A JSON array.
message ListValue {
  repeated Value values = 1;
}
`,
  'google/protobuf/timestamp.proto': `${HEAD}
// A point in time.
message Timestamp {
  // Since 1970-01-01T00:00:00Z; negative before.
  int64 seconds = 1;
  // Counted forwards, from 0 to 999 999 999.
  int32 nanos = 2;
}
`,
  'google/protobuf/wrappers.proto': `${HEAD}${WRAPPERS}`,
}
