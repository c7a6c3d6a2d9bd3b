// A message type with a field of every kind, which refers to itself in every way that it can.

export const SAMPLE_PROTO = `
  syntax = "proto3";
  enum Color { RED = 0; GREEN = 1; BLUE = 300; }
  message Sample {
    string text = 1; bytes data = 2; uint32 u32 = 3; int32 i32 = 4; sint32 s32 = 5; bool yes = 6;
    fixed32 f32 = 7; sfixed32 sf32 = 8; float real = 9; double wide = 10;
    uint64 u64 = 11; int64 i64 = 12; sint64 s64 = 13; fixed64 f64 = 14; sfixed64 sf64 = 15;
    Sample child = 16; repeated Sample children = 17; repeated uint32 packed = 18; repeated string texts = 19;
    repeated int64 longs = 20; repeated double doubles = 21; repeated bytes blobs = 22;
    map<string, Sample> named = 23; map<int32, string> numbered = 24; map<int64, bytes> wideKeys = 25;
    oneof choice { string left = 26; Sample right = 27; } Color color = 28; repeated Color colors = 29;
    optional uint32 maybe = 30;
  }
`
