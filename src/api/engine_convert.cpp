#include "api/engine.h"
#include "pipelines/convert_checkpoint.h"

namespace t2v {

extern "C" void t2v_engine_convert(const Checkpoint& checkpoint, const ConvertRequest& request,
                                   const RunControl& control, ConvertResult& result) {
  result = convert_checkpoint(checkpoint, request, control);
}

}  // namespace t2v
