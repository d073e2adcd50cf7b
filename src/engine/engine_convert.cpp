#include "engine/conversion/convert_checkpoint.h"
#include "engine/engine_functions.h"

namespace t2v {

ConvertFunctions convert_functions() { return {.convert = convert_checkpoint, .plan = plan_conversion}; }

}  // namespace t2v
