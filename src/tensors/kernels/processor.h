#pragma once

#include <c10/core/ScalarType.h>

namespace t2v {

/// Vector instructions that a loop of our own may use.
enum class Vectors { kBaseline, kAvx2, kAvx512 };

/// Abilities of a processor that decide about a fast path.
struct Processor {
  Vectors vectors;
  /// Whether LibTorch's oneDNN computes in the dtype. It refuses the lower ones on a plain AVX2 processor.
  bool onednn_float32, onednn_bfloat16, onednn_float16;

  bool has_onednn(c10::ScalarType dtype) const;
};

/// The processor of this machine, as limited by ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA; or the processor
/// of a PretendProcessor.
const Processor& processor();

/// While it lives, processor() returns `pretended` in every thread. For tests.
class PretendProcessor {
 public:
  explicit PretendProcessor(const Processor& pretended);
  ~PretendProcessor();
  PretendProcessor(const PretendProcessor&) = delete;
  PretendProcessor& operator=(const PretendProcessor&) = delete;

 private:
  Processor pretended_;
};

}  // namespace t2v
