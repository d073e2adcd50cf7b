#pragma once

#include <string>

#include "engine/interface/engine.h"

namespace t2v {

/// The functions of libt2v_engine.so. The first call loads it: it brings LibTorch, which takes 0.3 s. So that
/// a user sees at once that something happens, `doing` is logged before. Error (kBug, kResource).
const EngineEntryPoints& engine(const std::string& doing = "");

}  // namespace t2v
