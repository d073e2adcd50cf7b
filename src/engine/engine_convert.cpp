#include "engine/conversion/convert_checkpoint.h"
#include "engine/interface/engine.h"

namespace t2v {

extern "C" void t2v_engine_convert(const Checkpoint& checkpoint, const ConvertRequest& request,
                                   const RunControl& control, ConvertResult& result) {
  result = convert_checkpoint(checkpoint, request, control);
}

extern "C" void t2v_engine_plan_convert(const Checkpoint& checkpoint, const ConvertRequest& request,
                                        ConvertPlan& plan) {
  plan = plan_conversion(checkpoint, request);
}

}  // namespace t2v
