#pragma once

#include "checkpoints/checkpoint.h"
#include "t2v/convert.h"
#include "t2v/generate.h"

namespace t2v {

// What libt2v_engine.so exports. libt2v.so finds each by its name.
constexpr const char* kEngineLibrary = "libt2v_engine.so";

/// Renders a request that check() has passed.
extern "C" void t2v_engine_generate(const GenerateRequest& request, const RunControl& control,
                                    GenerateResult& result);
constexpr const char* kEngineGenerate = "t2v_engine_generate";

/// Writes a checkpoint as a request that was checked says.
extern "C" void t2v_engine_convert(const Checkpoint& checkpoint, const ConvertRequest& request,
                                   const RunControl& control, ConvertResult& result);
constexpr const char* kEngineConvert = "t2v_engine_convert";

/// The comment of a clip's container, "" if there is none. Error (kInput).
extern "C" void t2v_engine_clip_comment(const std::filesystem::path& clip, std::string& comment);
constexpr const char* kEngineClipComment = "t2v_engine_clip_comment";

}  // namespace t2v
