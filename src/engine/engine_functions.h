#pragma once

#include "engine/interface/engine.h"

namespace t2v {

// The parts of the engine's table of entry points. engine_plan.cpp has plan_functions(), and so on.

RenderFunctions render_functions();
PlanFunctions plan_functions();
ClipFunctions clip_functions();
ConvertFunctions convert_functions();
InspectFunctions inspect_functions();
BenchFunctions bench_functions();
DoctorFunctions doctor_functions();

}  // namespace t2v
