#pragma once

#include <cstdint>

namespace t2v {

/// The opcodes that torch.save uses (https://github.com/python/cpython/blob/main/Lib/pickletools.py).
enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kNoneOp = 'N',
  kTrue = 0x88,
  kFalse = 0x89,
  kInt4 = 'J',
  kInt1 = 'K',
  kInt2 = 'M',
  kLong1 = 0x8a,
  kFloat8 = 'G',
  kText4 = 'X',
  kText1 = 0x8c,
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDictionary = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kGlobalOp = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kBuild = 'b',
  kPersistentId = 'Q',
  kPut1 = 'q',
  kPut4 = 'r',
  kGet1 = 'h',
  kGet4 = 'j',
  kMemoize = 0x94,
  kProtocol = 0x80,
  kFrame = 0x95,
};

}  // namespace t2v
