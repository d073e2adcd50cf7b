#pragma once

#include <filesystem>

#include "engine/interface/decode_task.h"
#include "t2v/decode.h"

namespace t2v {

/// Checks a request to decode without loading weights. Error as decode().
DecodeTask check_decode(const std::filesystem::path& latents, const DecodeRequest& request);

}  // namespace t2v
