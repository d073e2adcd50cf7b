#pragma once

#include <filesystem>

#include "engine/interface/engine.h"

namespace t2v {

/// What decode() asks of the engine, everything checked that can be checked without loading weights. Error as
/// decode().
DecodeTask make_decode_task(const std::filesystem::path& latents, const GenerateRequest& request);

}  // namespace t2v
