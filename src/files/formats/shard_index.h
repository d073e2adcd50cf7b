#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace t2v {

/// Reads the index of a checkpoint in several files (`*.safetensors.index.json`): tensor name -> file name, a
/// plain name in the folder of the index. Error (kInput) for anything else.
std::map<std::string, std::string> read_shard_index(const std::filesystem::path& file);

}  // namespace t2v
