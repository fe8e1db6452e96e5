"""Phrases about the video as a whole, its words and sounds, and about the answer itself."""

from __future__ import annotations

from collections.abc import Mapping

VIDEO_CUES: Mapping[str, str] = {
    "speech": """
        say; speak; speech; spoken; talk; talk about; mention; word say; utter; transcript; transcription;
        transcribe; voice; conversation; dialogue; dialog; hear someone|somebody|anyone|anybody; pronounce;
        narrator; narration; tell us; yell; whisper; shout; converse; chat; speaker; discuss; sentence; utterance
    """,
    "text": """
        write; written; text; sign; caption; captions; on screen text; subtitle; subtitles; letter; lettering; read;
        inscription; print; title; words; signs; spell; writing; signage; billboard; banner; poster; placard; label
        read; word; ocr; screen text; text on screen
    """,
    "sound": """
        sound; audio; noise; music; soundtrack; audio track; sound track; hear; audible; acoustic; listen; noises;
        sounds; sonic
    """,
    "silent": """
        silent; silence; quiet; mute; muted; soundless; no sound; without sound; noiseless; hush; quietest
    """,
    "loud": """
        loud; loudest; noisy; loudly; noisiest; louder; volume
    """,
    "video": """
        video; clip; footage; film; movie; recording; file; videos; clips; vid; library; collection; footages;
        movies; films; media
    """,
    "scene": """
        shot; shots; scene; scenes; take
    """,
    "cut": """
        cut; cuts; scene change; shot change; shot boundary; transition; camera cut; scene cut; scene changes; cut
        to
    """,
    "resolution": """
        resolution; frame size; dimension; dimensions; video size; picture size; image size; how many pixel; pixel
        size; size of the? video|frame|picture|image|clip; width and height; big be the?
        video|frame|picture|clip|image; aspect ratio; aspect
    """,
    "width": """
        width; how wide; wide
    """,
    "height": """
        height; how tall|high be the? video|frame|picture|clip; how high
    """,
    "fps": """
        fps; frame rate; framerate; frame per second; frames per second; frame a second; frames a second; frame /
        second; frame rates; refresh rate
    """,
    "frames": """
        how many frame; number of frame; frame count; frame number; total frame; amount of frame; count of frame;
        count frame; total number of frame; how many image
    """,
    "path_of_file": """
        file path; path of the? video|file; where be the? video|file store; file name; filename; location of the
        file; video path; name of the? video|clip|file
    """,
    "why": """
        why; how come; how do you know; evidence; proof; prove; explain; are you sure; you sure; be you sure; how
        can you tell; justify; on what basis; show me the? evidence|proof; what make you think; reason; really;
        certain; how sure; back up; source; be that right|correct|true; what be that based on; based on what
    """,
    "help": """
        help; what can i ask; what can you do; how do i use; what question; how do this work; what kind of question;
        example question; capability; capabilities; what can you answer; what do you know; usage; instruction;
        hello; hi; hey; thanks; thank you
    """,
    "tag": """
        tag; tags; keyword; hashtag; annotation; annotations
    """,
    "events": """
        happen; go on; take place; occur; event; events; what be do; transpire; activity; activities; action; come
        about; what go on; up to; see in; unfold; what change; behave; behavior; behaviour; doing; what happen
    """,
    "summary": """
        summarise; summarize; summary; overview; gist; describe the?
        video|clip|scene|footage|film|movie|recording|whole|content; about the? video|clip|film; what be the
        video|clip about; tell me about the video|clip|footage; synopsis; recap; brief; abstract; give me an
        overview; outline; sum up; content; contents; what be this video|clip about; in a nutshell; description of
        the? video|clip|scene|footage; report; what be the clip|footage|recording|movie|film about; tell me about
        this video|clip|footage; describe this video|clip|footage; summarise the video; summarize the video;
        recapitulate; run down; rundown; digest
    """,
}
