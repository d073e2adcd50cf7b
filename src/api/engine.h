#pragma once

#include "t2v/generate.h"

namespace t2v {

/// What libt2v_engine.so exports: renders a request that check() has passed. libt2v.so finds it by this name.
extern "C" void t2v_engine_generate(const GenerateRequest& request, const RunControl& control,
                                    GenerateResult& result);
constexpr const char* kEngineLibrary = "libt2v_engine.so";
constexpr const char* kEngineGenerate = "t2v_engine_generate";

}  // namespace t2v
