#include "engine/clips/clip_output.h"

#include "engine/pipelines/run_progress.h"
#include "media/clip_writer.h"
#include "media/formats/output_format.h"

namespace t2v {
namespace {

ClipSettings clip_settings(const ClipFile& clip) {
  return {.width = clip.size.width,
          .height = clip.size.height,
          .fps = clip.size.fps,
          .quality = clip.encoding.quality,
          .crf = clip.encoding.crf,
          .codec = clip.encoding.codec,
          .pix_fmt = clip.encoding.pix_fmt,
          .comment = clip.outputs.metadata ? clip.settings : "",
          .frame_count = clip.size.num_frames,
          .overwrite = clip.outputs.overwrite};
}

}  // namespace

std::filesystem::path write_clip(const ClipFile& clip, const Latents& latents, VideoPipeline& pipeline,
                                 const RunControl& control) {
  const std::filesystem::path& output = clip.outputs.output;
  const RunProgress progress(control);
  ClipSettings video = clip_settings(clip);
  video.stop = control.stop;
  const auto writer = output.empty() ? nullptr : make_clip_writer(output, video);
  int64_t handed_out = 0;
  pipeline.decode(latents, [&](const Frames& frames) {
    if (control.on_frames)
      control.on_frames({handed_out, frames.count, frames.height, frames.width, frames.rgb.data()});
    handed_out += frames.count;
    if (writer) writer->write(frames);
  });
  if (!writer) {
    progress.report(Event::Kind::kDone, 0, 0);
    return {};
  }
  progress.report(Event::Kind::kWrite, 0, 0, output.string());
  progress.stop_if_asked();
  writer->publish();
  const bool sequence = output_container(output) == Container::kPngSequence;
  const std::filesystem::path first =
      sequence ? SequenceNames(output, clip.size.num_frames).frame(1) : output;
  progress.report(Event::Kind::kDone, 0, 0, first.string());
  return first;
}

void expect_encoder(const ClipFile& clip) {
  if (!clip.outputs.output.empty()) expect_encoder(clip.outputs.output, clip_settings(clip));
}

}  // namespace t2v
